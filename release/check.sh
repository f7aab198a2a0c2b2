#!/usr/bin/env bash
# Inside the tree that build.sh makes: what must be true of the libraries, and of the release's files.
set -euo pipefail
cd /build/libtps
# shellcheck source=tests/check.sh
. tests/check.sh
trap 'rm -rf "$scratch"' EXIT
release=/build/release
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

small() { [ "$(stat -c %s "$1")" -lt 3670016 ]; }
dynamic() { llvm-readelf -d "$1" | grep -E "$2"; }
exported() {
  diff <(grep -oE '\btps_[a-z_]+\(' include/tps.h | tr -d '(' | sort -u) <(llvm-nm -D --defined-only "$1" | awk '{print $3}' | sort)
}
# Nothing but what the C library itself consists of.
needed() { ! llvm-readelf -d "$1" | grep NEEDED | grep -vE '\[(libc\.so(\.6)?|lib(m|dl|pthread|rt|util)\.so\.[0-9]|ld-linux-[^]]*)\]'; }
# The READMEs say which glibc is needed.
glibc() {
  local said
  said=$(sed -n 's/.*glibc \([0-9.]*\) or newer.*/\1/p' bindings/php/README.md bindings/ruby/README.md | sort -u)
  llvm-readelf --dyn-syms "$1" | grep -oE '@GLIBC_[0-9.]+' | sed 's/.*_//' | sort -Vu | tee "$scratch/versions"
  [ "$(tail -n 1 "$scratch/versions")" = "$said" ]
}
musl() { ! llvm-readelf --dyn-syms "$1" | grep GLIBC; }
# What cargo-auditable has put in: the crates, with their versions.
told() {
  llvm-objcopy --dump-section ".dep-v0=$scratch/told" "$1" /dev/null
  python3 -c 'import json, sys, zlib
print(*sorted(it["name"] for it in json.loads(zlib.decompress(open(sys.argv[1], "rb").read()))["packages"]))' "$scratch/told" |
    tee /dev/stderr | grep -w rustls | grep -w tps | grep -vw clap
}
debug_information() { llvm-readelf -S "$1" | grep '\.debug_line' && ! llvm-readelf -S "$2" | grep '\.debug_'; }

for platform; do
  built=/build/out/$platform library=/build/out/$platform/libtps.so
  check "$platform: less than 3.5 MiB" small "$library"
  check "$platform: NODELETE" dynamic "$library" NODELETE
  check "$platform: SONAME libtps.so.0" dynamic "$library" 'SONAME.*\[libtps\.so\.0\]'
  check "$platform: exported are the header's functions alone" exported "$library"
  check "$platform: only the C library's own are needed" needed "$library"
  case $platform in
    *-gnu) check "$platform: it needs the glibc that the READMEs say" glibc "$library" ;;
    *) check "$platform: nothing of glibc" musl "$library" ;;
  esac
  check "$platform: the library tells what is inside" told "$library"
  check "$platform: debug information is in a file of its own" debug_information "$built/libtps.so.$version.debug" "$library"
done

# All that is packed, unpacked.
mkdir "$scratch/files"
for file in "$release"/*; do
  to=$scratch/files/$(basename "$file")
  mkdir "$to"
  case $file in
    *.tar.gz) tar -C "$to" -xzf "$file" ;;
    *.gem) tar -C "$to" -xf "$file" && gunzip "$to"/*.gz && mkdir "$to/data" && tar -C "$to/data" -xf "$to/data.tar" ;;
    *.zip | *.whl) python3 -m zipfile -e "$file" "$to" ;;
    *) cp "$file" "$to" ;;
  esac
done
# Debug information names the tree's directories, which are the same for everybody.
no_path() {
  ! grep -rlE '/root/|/home/[a-z]' "$scratch/files" && ! grep -rlE --exclude='*.debug' '/build/(libtps|cargo|out|target|python|release)' "$scratch/files"
}
check "no file names a directory of this build" no_path
# with NAME: the packages that have such a file.
with() { (cd "$scratch/files" && find . -type f -name "$1" ! -name '*.debug' | cut -d/ -f2 | sort -u); }
licences() { [ "$(with 'libtps.so*' | wc -l)" -eq $((1 + 3 * $#)) ] && [ -z "$(comm -23 <(with 'libtps.so*') <(with LICENSES-THIRD-PARTY.txt))" ]; }
check "each package with a library has the licences of what is inside" licences "$@"
sums() { (cd "$release" && sha256sum --quiet -c SHA256SUMS && [ "$(wc -l <SHA256SUMS)" -eq $(($(find . -type f | wc -l) - 1)) ]); }
check "SHA256SUMS names all files" sums

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
