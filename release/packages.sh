#!/usr/bin/env bash
# Inside the tree that build.sh makes: the release's files, from /build/out into /build/release.
set -euo pipefail
cd /build/libtps
export CARGO_HOME=/build/cargo PATH=/build/python/bin:$PATH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH TPS_LICENSES=/build/release/LICENSES-THIRD-PARTY.txt
umask 022
out=/build/out release=/build/release
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
rm -rf "$release" "$out/share" "$out/stage"
mkdir -p "$release"

python release/bill.py "$release"
# The same for all platforms.
"$out/x86_64-linux-gnu/tps" generate "$out/share"

# archive NAME: the directory of that name, sorted, with the commit's time.
archive() {
  tar -C "$out/stage" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c "$1" | gzip -9n >"$release/$1.tar.gz"
}

# To be unpacked anywhere, /usr/local for instance: pkg-config finds the rest from where tps.pc is.
pkg_config() {
  cat <<PC
prefix=\${pcfiledir}/../..
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: tps
Description: The one TPStreams API token that every thread and process needs
Version: $version
Libs: -L\${libdir} -ltps
Libs.private: $(cat "$out/$1/static-libs")
Cflags: -I\${includedir}
PC
}

# As Python's installers name the platform.
wheel() {
  case $1 in
    *-gnu) echo "manylinux_2_28_${1%%-*}" ;;
    *) echo "musllinux_1_2_${1%%-*}" ;;
  esac
}

libraries=() wheels=()
for platform in "$@"; do
  built=$out/$platform name=libtps-$version-$platform
  root=$out/stage/$name
  install -D -m 0644 include/tps.h "$root/include/tps.h"
  install -D -m 0755 "$built/libtps.so" "$root/lib/libtps.so.$version"
  ln -s "libtps.so.$version" "$root/lib/libtps.so.0"
  ln -s libtps.so.0 "$root/lib/libtps.so"
  install -m 0644 "$built/libtps.a" "$root/lib/libtps.a"
  mkdir "$root/lib/pkgconfig"
  pkg_config "$platform" >"$root/lib/pkgconfig/tps.pc"
  install -D -m 0755 "$built/tps" "$root/bin/tps"
  install -D -m 0644 "$out/share/tps.1" "$root/share/man/man1/tps.1"
  install -D -m 0644 "$out/share/tps.bash" "$root/share/bash-completion/completions/tps"
  install -D -m 0644 "$out/share/_tps" "$root/share/zsh/site-functions/_tps"
  install -D -m 0644 "$out/share/tps.fish" "$root/share/fish/vendor_completions.d/tps.fish"
  for file in README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$TPS_LICENSES" "$release/bill-of-materials.json"; do
    install -D -m 0644 "$file" "$root/share/doc/libtps/$(basename "$file")"
  done
  archive "$name"
  # Beside the file that it belongs to, a debugger finds it by its name.
  install -D -m 0644 "$built/libtps.so.$version.debug" "$out/stage/$name-debug/lib/libtps.so.$version.debug"
  install -D -m 0644 "$built/tps.debug" "$out/stage/$name-debug/bin/tps.debug"
  archive "$name-debug"
  libraries+=("$platform=$built/libtps.so")
  wheels+=("$(wheel "$platform")=$built/libtps.so")
done

bindings/ruby/package.sh "$release" "${libraries[@]}"
bindings/php/package.sh "$release" "${libraries[@]}"
bindings/python/package.sh "$release" "${wheels[@]}"
(cd "$release" && sha256sum -- * >/build/out/SHA256SUMS && mv /build/out/SHA256SUMS .)
