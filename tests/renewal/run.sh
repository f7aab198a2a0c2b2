#!/usr/bin/env bash
# Scripts and programs that ask once and leave, while a renewal is due: none of them begins one that it would not live to
# see. Needs the server that tests/run.sh starts, and the library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${TPS_TEST_SERVER:?tests/renewal/run.sh needs the server that tests/run.sh starts}"
# shellcheck source=tests/check.sh
. tests/check.sh
# shellcheck source=tests/c/organization.sh
. tests/c/organization.sh
trap 'rm -rf "$scratch"' EXIT

export TPS_LIBRARY=$scratch/libtps.so.0
cp target/release/libtps.so "$TPS_LIBRARY"
ln -s libtps.so.0 "$scratch/libtps.so"
cc -std=c99 -Wall -Wextra -Werror -g tests/renewal/ask.c -o "$scratch/ask" -Iinclude "-L$scratch" "-Wl,-rpath,$scratch" -ltps

declare -A command=([C]="$scratch/ask" [PHP]="php tests/renewal/ask.php")

# ask LANGUAGE NUMBER: the tokens of so many processes, four at a time.
ask() {
  # shellcheck disable=SC2086 # words of a command
  seq "$2" | xargs -P 4 -I{} ${command[$1]}
}

# count NAME: one of the server's.
count() {
  curl -sS "$TPS_TEST_SERVER/_test/organizations/$TPS_ORGANIZATION_ID/" | python3 -c '
import json, sys
print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# so WHAT IS EXPECTED
so() {
  [[ $2 == "$3" ]] || { echo "$1: $2, not $3"; return 1; }
}

# Not a failure: the machine was too slow for so short a life.
too_slow=75

# window LANGUAGE LIFE: a hundred processes while the renewal of a token with so many seconds is due, and more of them until it
# has ended.
window() {
  local first tokens=$scratch/$1.tokens i start=$SECONDS
  organization "{\"token_life\": $2, \"latency\": 0.3}"
  export TPS_CACHE=file:$scratch/$1.$2 AHEAD=$(($2 / 2))
  first=$(ask "$1" 1)
  sleep $(($2 - AHEAD + 1))
  ask "$1" 100 >"$tokens"
  if ((SECONDS - start >= $2 - 3)); then
    echo "100 processes take too long for a life of $2 seconds"
    return $too_slow
  fi
  so "logins before the end" "$(count logins)" 1
  so "living tokens" "$(count tokens)" 1
  so "tokens that they have" "$(sort -u "$tokens")" "$first"

  # Each of these ends before the next ones begin: all that is left of the token is used.
  for ((i = 0; i < 600; i++)); do
    ask "$1" 4 >"$tokens"
    grep -qxF "$first" "$tokens" || break
    sleep 0.1
  done
  ask "$1" 20 >>"$tokens"
  so "tokens after the end" "$(sort -u "$tokens" | wc -l)" 1
  so "tokens made" "$(count tokens_made)" 2
  so "logins" "$(count logins)" 2
  # The server lets the first one live for the margin that is left of it.
  for ((i = 0; i < 100; i++)); do
    [ "$(count tokens)" = 1 ] && break
    sleep 0.1
  done
  so "living tokens" "$(count tokens)" 1
  curl -fsS -o "$scratch/$1.list" -H "Authorization: Token $(tail -n 1 "$tokens")" "$TPS_TEST_SERVER/api/v1/organizations/"
}

# patiently LANGUAGE: with the shortest life that the machine is fast enough for. Runs in a shell of its own.
patiently() {
  local life status
  set +e
  for life in 30 60 120; do
    (
      set -e
      window "$1" "$life"
    )
    status=$?
    [ "$status" -eq $too_slow ] || break
  done
  echo "$status" >"$scratch/$1.status"
}

for language in "${!command[@]}"; do
  patiently "$language" >"$scratch/$language.said" 2>&1 &
done
wait

told() {
  cat "$scratch/$1.said"
  return "$(cat "$scratch/$1.status")"
}
for language in "${!command[@]}"; do
  check "$language: 100 short processes do not renew ahead, and log in once when the token has ended" told "$language"
done
[ "$failed" -eq 0 ]
