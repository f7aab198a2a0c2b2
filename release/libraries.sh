#!/usr/bin/env bash
# Inside the tree that build.sh makes: builds what each platform needs into /build/out/PLATFORM.
set -euo pipefail
cd /build/libtps
# What zig compiles names the directory in its debug information.
export ZIG_GLOBAL_CACHE_DIR=/build/zig
export CARGO_HOME=/build/cargo CARGO_INCREMENTAL=0 PATH=/build/python/bin:/build/tools/bin:$PATH
# The symbols go into a file of their own below.
export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only
out=/build/out
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# What the compiler and the linker are, by version. Both are kept for the next run.
if ! cmp -s release/requirements.txt /build/python/stamp; then
  rm -rf /build/python
  python3 -m venv /build/python
  /build/python/bin/pip install --quiet --disable-pip-version-check --requirement release/requirements.txt
  cp release/requirements.txt /build/python/stamp
fi
if ! [ -x /build/tools/bin/cargo-auditable ]; then
  env -u CARGO_PROFILE_RELEASE_DEBUG cargo install cargo-auditable --version 0.7.7 --locked --quiet --root /build/tools --target-dir /build/tools/target
  rm -rf /build/tools/target
fi
cargo fetch --locked --quiet
# And what the standard library of musl is made of.
RUSTC_BOOTSTRAP=1 cargo fetch --locked --quiet -Z build-std=std,panic_unwind --target x86_64-unknown-linux-musl

# What the places of panics are called instead of this tree's directories.
registry=$(echo "$CARGO_HOME"/registry/src/*)
prefixes="--remap-path-prefix=$registry=crates --remap-path-prefix=/usr/src=rust --remap-path-prefix=$PWD=libtps"
export CFLAGS="-ffile-prefix-map=$registry=crates"

# What is inside can be asked of the files that cargo-auditable has built; it calls whatever is named cargo.
cat >/build/tools/bin/zig-cargo <<'SH'
#!/bin/sh
unset CARGO
exec cargo-zigbuild "$@"
SH
chmod +x /build/tools/bin/zig-cargo

# build PLATFORM COMMAND OPTION...: cargo's COMMAND for it, against the oldest glibc that is supported.
build() {
  local platform=$1 target=${1/-linux/-unknown-linux} flags=$prefixes options=()
  case $platform in
    *-musl)
      # Debian has no standard library for it. A shared library takes the system's musl.
      flags+=" -C target-feature=-crt-static"
      options=(-Z "build-std=std,panic_unwind")
      ;;
    *) target+=.2.28 ;;
  esac
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags CARGO=/build/tools/bin/zig-cargo cargo-auditable auditable "$2" --release --locked --offline --quiet \
    --target "$target" --target-dir /build/target "${options[@]}" "${@:3}"
}

# strip FILE TO DEBUG: without symbols, which go into DEBUG.
strip() {
  llvm-objcopy --only-keep-debug "$1" "$3"
  # Where cargo-auditable writes.
  llvm-objcopy --strip-all --keep-section=.dep-v0 --add-gnu-debuglink="$3" "$1" "$2"
}

for platform in "$@"; do
  built=/build/target/${platform/-linux/-unknown-linux}/release
  to=$out/$platform
  rm -rf "$to"
  mkdir -p "$to"
  build "$platform" rustc --lib --crate-type cdylib --crate-type staticlib -- --print native-static-libs 2>"$to/log" || { cat "$to/log" >&2; exit 1; }
  strip "$built/libtps.so" "$to/libtps.so" "$to/libtps.so.$version.debug"
  llvm-objcopy --strip-debug "$built/libtps.a" "$to/libtps.a"
  sed -n 's/^note: native-static-libs: //p' "$to/log" | tail -n 1 >"$to/static-libs"
  [ -s "$to/static-libs" ] || { cat "$to/log" >&2; exit 1; }
  # The command takes the crate as it is, and no shared library beside it.
  sed -i 's/^crate-type = .*/crate-type = ["rlib"]/' Cargo.toml
  build "$platform" build --bin tps --features command
  git checkout --quiet Cargo.toml
  strip "$built/tps" "$to/tps" "$to/tps.debug"
done
