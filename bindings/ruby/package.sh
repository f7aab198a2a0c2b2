#!/usr/bin/env bash
# package.sh DIRECTORY [PLATFORM=LIBRARY...]: makes gems there, from the files that git knows: tps-VERSION.gem with the library's
# source, and for each platform tps-VERSION-PLATFORM.gem with that library. Without any, it builds the one of this machine.
#
# TPS_REPOSITORY: the https URL of the source, for the gems' metadata; else that of the remote `origin`.
# TPS_LICENSES: a file with the licences of what the libraries contain, for the gems that have one.
set -euo pipefail
mkdir -p "$1"
directory=$(cd "$1" && pwd)
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export TPS_REPOSITORY=${TPS_REPOSITORY-$(git config --get remote.origin.url || true)}
# The same commit, the same gem.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
# The modes are the package's, not those that this user's umask made.
umask 022

# copy FROM TO PATH...: what git knows of these, below the directory FROM, into the directory TO.
copy() {
  mkdir -p "$2"
  git -C "$1" ls-files -z -- "${@:3}" | tar -C "$1" --null -T - --mode=u=rw,go=r -c | tar -C "$2" -x
}

gem_of() {
  copy bindings/ruby "$stage/$1" lib sig README.md .yardopts tps.gemspec
  copy . "$stage/$1" LICENSE-MIT LICENSE-APACHE
}

build() {
  (cd "$stage/$1" && gem build --quiet tps.gemspec)
  mv "$stage/$1"/tps-*.gem "$directory"
}

gem_of source
copy bindings/ruby "$stage/source" ext
# The manifest names the benchmark, so cargo insists on it.
copy . "$stage/source/ext/tps" Cargo.toml Cargo.lock build.rs src include benches/parts.rs
build source

if [ $# -eq 0 ]; then
  cargo build --release --locked --quiet
  platform=$(rustc -vV | sed -n 's/^host: //p')
  set -- "${platform/-unknown/}=${CARGO_TARGET_DIR:-target}/release/libtps.so"
fi
for library; do
  export TPS_PLATFORM=${library%%=*}
  gem_of "$TPS_PLATFORM"
  install -m 0755 "${library#*=}" "$stage/$TPS_PLATFORM/lib/tps/libtps.so"
  [ -z "${TPS_LICENSES:-}" ] || install -m 0644 "$TPS_LICENSES" "$stage/$TPS_PLATFORM/LICENSES-THIRD-PARTY.txt"
  build "$TPS_PLATFORM"
done
