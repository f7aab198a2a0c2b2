#!/usr/bin/env bash
# C programs that end in the middle of a login. Needs the servers that tests/run.sh starts, and the library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${TPS_TEST_FAULTS:?tests/c/ends.sh needs the servers that tests/run.sh starts}"
# shellcheck source=tests/check.sh
. tests/check.sh
trap 'rm -rf "$scratch"' EXIT

cp target/release/libtps.so "$scratch/libtps.so.0"
ln -s libtps.so.0 "$scratch/libtps.so"
cc -std=gnu11 -Wall -Wextra -Werror -g tests/c/ends.c -o "$scratch/ends" -Iinclude "-L$scratch" "-Wl,-rpath,$scratch" -ltps

export TPS_USERNAME=hari@example.com TPS_PASSWORD=welcome TPS_ORGANIZATION_ID=auhf2k

# site NAME: an empty store, and a server of its own that takes two seconds for a login.
site() {
  local key
  key=c-$1-$$
  rm -rf "$scratch/store"
  export TPS_CACHE=file:$scratch/store TPS_BASE_URL=$TPS_TEST_FAULTS/slow2/$key
  export TPS_TEST_COUNT=$TPS_TEST_FAULTS/_count/$key
}

# requests: the methods of all requests so far.
requests() {
  curl -sS "$TPS_TEST_COUNT" | python3 -c '
import json, sys
print(*(request["line"].split()[0] for request in json.load(sys.stdin)["log"]))'
}

# bounded MOST: no more logins than that, and a probe between one and the next.
bounded() {
  local seen
  seen=$(requests)
  echo "$seen"
  [[ $seen != *"POST POST"* && $(grep -o POST <<<"$seen" | wc -l) -le $1 ]]
}

in_mid_login() {
  site exit
  local i
  for i in {1..12}; do "$scratch/ends" exit sent; done >"$scratch/said"
  cat "$scratch/said"
  requests
  [ "$(requests)" = "POST GET POST GET POST" ]
  # The others found the budget used up, and waited for nothing.
  [ "$(grep -cE '^status 11 [1-9][0-9]{0,5}$' "$scratch/said")" -eq 9 ]
}

at_any_instant() {
  site instant
  local i
  for i in {0..100..4}; do "$scratch/ends" exit "$i"; done
  bounded 3
}

# daemon WHEN: the child of a parent that has ended then has a token.
daemon() {
  site "daemon-$1"
  local said
  # Until the last process has closed its standard output.
  said=$("$scratch/ends" daemon "$1")
  echo "$said"
  grep -qxE 'token [0-9a-f]{64}' <<<"$said"
  bounded 2
  [ "$("$scratch/ends" token)" = "$said" ]
}

check "12 programs that end by exit() in their login cost the budget and no more" in_mid_login
check "26 programs that end by exit() at any instant likewise" at_any_instant
check "a daemon whose parent ended in its login has a token, and one more login was sent" daemon sent
for when in 0 20 40; do check "a daemon whose parent ended $when ms after it asked" daemon "$when"; done
[ "$failed" -eq 0 ]
