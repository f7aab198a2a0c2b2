#!/usr/bin/env bash
# The library as `cargo cinstall` installs it, used outside the repository by pkg-config. Needs the server that tests/run.sh
# starts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/check.sh
. tests/check.sh
# shellcheck source=tests/c/organization.sh
. tests/c/organization.sh
trap 'rm -rf "$scratch"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
prefix=$scratch/prefix

tests/c/cargo-c.sh
PATH=$PWD/target/tools/bin:$PATH cargo cinstall --release --locked --prefix "$prefix" --libdir "$prefix/lib" 2>"$scratch/log" ||
  { cat "$scratch/log"; exit 1; }

installed() {
  diff <(cd "$prefix" && find . ! -type d -printf '%m %P\n' | sort -k 2) - <<FILES
644 include/tps.h
644 lib/libtps.a
777 lib/libtps.so
777 lib/libtps.so.0
755 lib/libtps.so.$version
644 lib/pkgconfig/tps.pc
FILES
}
same_header() { cmp "$prefix/include/tps.h" include/tps.h; }
soname() { readelf -d "$prefix/lib/libtps.so" | grep 'SONAME.*\[libtps\.so\.0\]'; }
exported() {
  diff <(grep -oE '\btps_[a-z_]+\(' include/tps_ffi.h | tr -d '(' | sort -u) \
    <(nm -D --defined-only "$prefix/lib/libtps.so" | awk '{print $3}' | sort)
}
check "the files, and their modes" installed
check "the header is the committed one" same_header
check "SONAME libtps.so.0" soname
check "exported is what the header declares" exported

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
mkdir "$scratch/elsewhere"
cp examples/c/login.c "$scratch/elsewhere"
cd "$scratch/elsewhere"
of_version() { [ "$(pkg-config --modversion tps)" = "$version" ]; }
check "pkg-config tells the version" of_version

read -ra flags < <(pkg-config --cflags --libs tps libcurl jansson)
shared() { cc -std=c99 -Wall -Werror login.c -o shared "${flags[@]}" "-Wl,-rpath,$prefix/lib"; }
check "an example by pkg-config, shared" shared
read -ra static < <(pkg-config --static --libs tps)
read -ra others < <(pkg-config --cflags --libs libcurl jansson)
static() {
  cc -std=c99 -Wall -Werror login.c -o static "-I$prefix/include" "${others[@]}" "${static[@]/-ltps/-l:libtps.a}" &&
    ! readelf -d static | grep libtps
}
check "the same, static" static
# Two static Rust libraries would define Rust's runtime twice.
beside_rust() {
  printf '#[unsafe(no_mangle)]\npub extern "C" fn other() -> i32 { vec![7].len() as i32 }\n' >other.rs
  rustc --edition 2024 --crate-type staticlib -o libother.a other.rs
  printf '#include <tps.h>\nint other(void);\nint main(void) { tps_free(0); return other() != 1; }\n' >beside.c
  cc -std=c99 -Wall -Werror beside.c -o beside libother.a "${flags[@]}" "-Wl,-rpath,$prefix/lib" -lpthread -ldl -lm
  ./beside
}
check "beside another Rust library, that one static and this one shared" beside_rust
cat >plus.cpp <<'CPP'
#include <cstdio>
#include <memory>
#include <string>
#include <tps.h>

struct Free {
    void operator()(void *object) const { tps_free(object); }
};

int main() {
    tps_error *error = nullptr;
    std::unique_ptr<tps_client, Free> client(tps_login("a", "b", "c", "{\"lazy\": true}", &error));
    std::unique_ptr<char, Free> stats(tps_stats(client.get(), &error));
    std::printf("%s\n", tps_version());
    return client && std::string(stats.get()).find("\"logins\":0") != std::string::npos ? 0 : 1;
}
CPP
plus() { c++ -std=c++17 -Wall -Werror plus.cpp -o plus "${flags[@]}" "-Wl,-rpath,$prefix/lib" && [ "$(./plus)" = "$version" ]; }
check "C++" plus

# revoked PROGRAM: one request with a token that was revoked, one with the next one; two logins in all.
revoked() {
  rm -rf "$scratch/store"
  export TPS_CACHE=file:$scratch/store
  "./$1" >first
  curl -sS -X POST -H 'Content-Type: application/json' -d '{}' "$TPS_TEST_SERVER/_test/organizations/$TPS_ORGANIZATION_ID/revoke/" >/dev/null
  "./$1" >second
  grep '^organization: .' second
  [ "$(head -n 1 first)" = "$(head -n 1 second)" ] # what the store had, at first
  "./$1" >third
  [ "$(head -n 1 third)" != "$(head -n 1 second)" ]
  logins 2
}
for program in shared static; do
  organization '{}'
  check "$program: a revoked token is reported, and replaced by one login" revoked "$program"
done
[ "$failed" -eq 0 ]
