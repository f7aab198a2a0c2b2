#!/usr/bin/env bash
# The library's file and the headers, and a C program with them, under valgrind too. Needs the server that tests/run.sh starts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${TPS_TEST_SERVER:?tests/c/run.sh needs the server that tests/run.sh starts}"
library=target/release/libtps.so
# shellcheck source=tests/check.sh
. tests/check.sh
# shellcheck source=tests/c/organization.sh
. tests/c/organization.sh
trap 'rm -rf "$scratch"' EXIT

exported() {
  diff <(printf '%s\n' tps_{free,generation,generation_word,invalidate,login,logout,logout_wait,stats,token,version,wait}) \
    <(nm -D --defined-only "$library" | awk '{print $3}' | sort)
}
dynamic() { readelf -d "$library" | grep "$1"; }
needs_little() { ! readelf -d "$library" | grep NEEDED | grep -vE '\[(libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1|ld-linux[^]]*)\]'; }
declared() {
  diff <(grep -oE '\btps_[a-z_]+\(' "$1" | tr -d '(' | sort -u) <(nm -D --defined-only "$library" | awk '{print $3}' | sort)
}
compiles() { printf '#include <tps.h>\nint main(void) { return TPS_OK; }\n' | "$@" -Wall -Wextra -pedantic -Werror -Iinclude -fsyntax-only -; }

# A hand edit of a header is mended by the next build; the check in tests/run.sh is that the build had nothing to mend.
hand_edit_is_found() {
  local copy=$scratch/copy
  rm -rf "$copy"
  mkdir "$copy"
  cp -r Cargo.toml Cargo.lock build.rs README.md src include benches "$copy"
  echo '/* by hand */' >>"$copy/include/$1"
  CARGO_TARGET_DIR=$PWD/target/header-check cargo check --manifest-path "$copy/Cargo.toml" --quiet --locked
  cmp "$copy/include/$1" "include/$1"
}

# The C of README.md, as a program of its own.
snippet() {
  {
    printf '#include <stdio.h>\n#include <tps.h>\nint main(void) {\n'
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md |
      sed "s/hari@example.com/$TPS_USERNAME/; s/\"welcome\"/\"$TPS_PASSWORD\"/; s/\"auhf2k\", NULL/\"$TPS_ORGANIZATION_ID\", OPTIONS/"
    printf 'return token == NULL;\n}\n'
  } >"$scratch/snippet.c"
  cc -std=c99 -Wall -Wextra -Werror "$scratch/snippet.c" -o "$scratch/snippet" "${link[@]}" \
    -DOPTIONS="\"{\\\"base_url\\\":\\\"$TPS_TEST_SERVER\\\",\\\"cache\\\":\\\"memory\\\"}\""
  "$scratch/snippet"
}

check "exported are exactly the eleven functions" exported
check "NODELETE" dynamic NODELETE
check "SONAME libtps.so.0" dynamic 'SONAME.*\[libtps\.so\.0\]'
check "only libc, libm, libgcc_s and the loader are needed" needs_little
check "tps.h declares what is exported" declared include/tps.h
check "tps_ffi.h declares what is exported" declared include/tps_ffi.h
for standard in c99 c11 c2x; do check "tps.h as $standard" compiles cc "-std=$standard" -x c; done
for standard in c++11 c++20; do check "tps.h as $standard" compiles c++ "-std=$standard" -x c++; done
for name in tps.h tps_ffi.h; do check "a hand edit of $name is found" hand_edit_is_found "$name"; done

TPS_VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
export TPS_VERSION TPS_CACHE=memory
mkdir "$scratch/lib"
cp "$library" "$scratch/lib/libtps.so.0"
ln -s libtps.so.0 "$scratch/lib/libtps.so"
link=(-Iinclude "-L$scratch/lib" "-Wl,-rpath,$scratch/lib" -ltps)
for program in test word forks signals unload jitter; do
  cc -std=gnu11 -Wall -Wextra -Werror -g "tests/c/$program.c" -o "$scratch/$program" "${link[@]}" -lpthread -ldl
done
read -ra flags < <(pkg-config --cflags --libs libcurl jansson)
cc -std=c99 -Wall -Wextra -Werror -g examples/c/login.c -o "$scratch/login" "${link[@]}" "${flags[@]}"
benchmarks() {
  local program
  for program in benches/c/*.c; do cc -std=gnu11 -O2 -Wall -Wextra -Werror -fsyntax-only -Iinclude "$program"; done
}
check "the benchmarks' programs compile" benchmarks
leaks=(valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite --error-exitcode=9)

organization '{"latency": 0.3}'
check "the C of README.md" snippet
organization '{"latency": 0.3}'
"$scratch/test" 2>"$scratch/stderr" || failed=$((failed + 1))
check "it sent four logins" logins 4
check "nothing was written to stderr" cmp "$scratch/stderr" /dev/null
organization '{"latency": 0.3}'
check "the same under valgrind: no error, nothing lost" "${leaks[@]}" "$scratch/test"
organization '{}'
check "the C example under valgrind" "${leaks[@]}" "$scratch/login"
check "it sent one login" logins 1

# program NAME LOGINS SETTINGS [ARGUMENT...]: prints its own lines; then the server's count.
program() {
  local name=$1 expected=$2
  organization "$3"
  shift 3
  rm -rf "$scratch/store"
  TPS_CACHE=file:$scratch/store "$scratch/$name" "$@" || failed=$((failed + 1))
  check "$name: the server counted $expected logins" logins "$expected"
}
program word 2 '{"token_life": null}'
program forks 47 '{"latency": 0.3, "token_limit": null}'
program signals 2 '{"latency": 0.5}'
program unload 1 '{}' "$library"
program jitter 0 '{}'
[ "$failed" -eq 0 ]
