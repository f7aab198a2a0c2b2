#!/usr/bin/env bash
# release/build.sh DIRECTORY: makes all files of a release from the commit that is checked out, and checks them. Needs root and
# mmdebstrap; runs on Debian 12 x86-64. The same commit, the same bytes, as long as Debian's compiler is the same: the bill of
# materials names it.
#
# TPS_RELEASE_TREE: a directory for the Debian in which all is built; kept for the next release. Else target/release-tree.
# TPS_REPOSITORY: the https URL of the source, for the gems' metadata.
set -euo pipefail
mkdir -p "${1:?where to?}"
directory=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
# shellcheck source=tests/tree.sh
. tests/tree.sh
need mmdebstrap git

[ "$(id -u)" -eq 0 ] || { echo "a Debian of its own is made for the build; that takes root" >&2; exit 1; }
if [ -n "$(git status --porcelain)" ]; then
  echo "the checkout has changes; commit or remove them:" >&2
  git status --short >&2
  exit 1
fi
platforms=(x86_64-linux-gnu aarch64-linux-gnu x86_64-linux-musl aarch64-linux-musl)
tree=${TPS_RELEASE_TREE:-target/release-tree}
commit=$(git rev-parse HEAD)

if ! [ -e "$tree/build/made" ]; then
  echo "== a Debian 12 with its own Rust, in $tree"
  rm -rf "$tree"
  mkdir -p "$tree"
  tree "$tree" bookworm --architectures=amd64,arm64 \
    --include=ca-certificates,rustc-web,cargo-web,rust-web-src,libstd-rust-web-dev:arm64,gcc,libc6-dev,python3-venv,llvm,zip,ruby,git
  mkdir "$tree/build"
  touch "$tree/build/made"
fi

# What git knows, in a directory that has the same name for everybody.
rm -rf "$tree/build/libtps" "$tree/build/out" "$tree/build/release"
git bundle create --quiet "$tree/build/commit.bundle" HEAD
inside "$tree" git -c advice.detachedHead=false clone --quiet /build/commit.bundle /build/libtps

for platform in "${platforms[@]}"; do
  echo "== $platform"
  inside "$tree" /build/libtps/release/libraries.sh "$platform"
done
echo "== packages"
inside "$tree" env TPS_COMMIT="$commit" TPS_REPOSITORY="${TPS_REPOSITORY:-}" /build/libtps/release/packages.sh "${platforms[@]}"
echo "== checks"
inside "$tree" /build/libtps/release/check.sh "${platforms[@]}"
cp "$tree"/build/release/* "$directory"
(cd "$directory" && wc -c -- *)
