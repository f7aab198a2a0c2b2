#!/usr/bin/env bash
# Builds the library and logs in from C, Ruby, PHP and Python: with TPS_USERNAME, TPS_PASSWORD and TPS_ORGANIZATION_ID set
# at TPStreams (TPS_BASE_URL: elsewhere), without them at the local server of the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
need build-essential pkg-config libcurl4-openssl-dev libjansson-dev python3 python3-venv ruby ruby-ffi php-cli
need_rust

scratch=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT

# How many logins the local server has counted so far.
logins() {
  python3 -c 'import json, sys, urllib.request; print(json.load(urllib.request.urlopen(sys.argv[1]))["logins"])' \
    "$TPS_BASE_URL/_test/counts/"
}

echo "== building the library (the first time takes some minutes)"
cargo build --release --locked --quiet
# The name that a program which was linked with it asks for at run time.
ln -sf libtps.so target/release/libtps.so.0
read -ra flags < <(pkg-config --cflags --libs libcurl jansson)
cc -Wall -Wextra -O2 examples/c/login.c -o target/login -Iinclude -Ltarget/release -Wl,-rpath,"$PWD/target/release" -ltps "${flags[@]}"

if [ -z "${TPS_USERNAME:-}" ] || [ -z "${TPS_PASSWORD:-}" ] || [ -z "${TPS_ORGANIZATION_ID:-}" ]; then
  echo "== TPS_USERNAME, TPS_PASSWORD and TPS_ORGANIZATION_ID are not all set: starting the local test server instead of using TPStreams"
  # It remembers its tokens, as the service does: the second run finds the first one's.
  tests/knox/serve --keep target/quickstart --url-file "$scratch/url" >"$scratch/log" 2>&1 &
  server=$!
  until [ -s "$scratch/url" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$scratch/log" >&2; exit 1; }
    sleep 0.1
  done
  TPS_BASE_URL=$(cat "$scratch/url")
  before=$(logins)
  export TPS_BASE_URL TPS_USERNAME=hari@example.com TPS_PASSWORD=welcome TPS_ORGANIZATION_ID=auhf2k
fi

for run in "C: target/login" "Ruby: ruby examples/ruby/login.rb" "PHP: php examples/php/login.php" "Python: python3 examples/python/login.py"; do
  echo "== ${run%%: *}"
  read -ra command <<<"${run#*: }"
  "${command[@]}"
done

if [ -n "$server" ]; then
  echo "== the server counted in this run: $(($(logins) - before)) login(s)"
fi
