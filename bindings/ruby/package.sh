#!/usr/bin/env bash
# package.sh DIRECTORY: builds two gems there, from the files that git knows: tps-VERSION.gem with the library's source, and
# tps-VERSION-PLATFORM.gem with the library itself, for machines like this one.
#
# TPS_REPOSITORY: the https URL of the source, for the gems' metadata; else that of the remote `origin`.
set -euo pipefail
mkdir -p "$1"
directory=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export TPS_REPOSITORY=${TPS_REPOSITORY-$(git config --get remote.origin.url || true)}

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

cargo build --release --locked --quiet
gem_of platform
install -m 0755 "${CARGO_TARGET_DIR:-target}/release/libtps.so" "$stage/platform/lib/tps/libtps.so"
build platform
