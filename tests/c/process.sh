#!/usr/bin/env bash
# What a C program's process shows of the library: looks into the environment, and secrets in memory. Needs the servers that
# tests/run.sh starts, and the library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${TPS_TEST_TLS:?tests/c/process.sh needs the servers that tests/run.sh starts}"
# shellcheck source=tests/check.sh
. tests/check.sh
trap 'rm -rf "$scratch"' EXIT

cp target/release/libtps.so "$scratch/libtps.so.0"
ln -s libtps.so.0 "$scratch/libtps.so"
for program in environment secrets; do
  cc -std=gnu11 -Wall -Wextra -Werror -g "tests/c/$program.c" -o "$scratch/$program" -Iinclude "-L$scratch" "-Wl,-rpath,$scratch" -ltps
done
cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC tests/c/getenv.c -o "$scratch/getenv.so" -ldl

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# listen PROGRAM ARGUMENT...: starts a server of ours, which listens at $port. Each check runs in a shell of its own; the server
# ends with that.
listen() {
  "$@" >"$scratch/server" 2>&1 &
  server=$!
  trap 'kill "$server" && wait || true' EXIT
  for _ in {1..100}; do
    if (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat "$scratch/server"
  return 1
}

# options NAME [MORE]: for the server that speaks TLS.
options() {
  printf '{"base_url":"%s/ok/c-%s-%s","ca_file":"%s","timeout_ms":30000%s}' "$TPS_TEST_TLS" "$1" $$ "$TPS_TEST_CA" "${2:-}"
}

beside_setenv() {
  local i
  for i in {1..20}; do
    TPS_TEST_OPTIONS=$(options "setenv-$i" ',"cache":"memory","lazy":true') "$scratch/environment"
  done >"$scratch/said"
  cat "$scratch/said"
  [ "$(grep -cE '^token [0-9a-f]{64}$' "$scratch/said")" -eq 20 ]
}

# Each look is by the thread that calls tps_login, for nothing but what the documents name.
looks() {
  local by_others for_others
  rm -f "$scratch/looks"
  TPS_TEST_OPTIONS=$(options "$1" ",\"lazy\":true,\"cache\":\"$2\"") TPS_TEST_GETENV=$scratch/looks \
    LD_PRELOAD=$scratch/getenv.so "$scratch/environment" quiet
  sort -u "$scratch/looks"
  by_others=$(grep -v '^caller ' "$scratch/looks" || true)
  for_others=$(grep -vE ' (TPS_TEST_OPTIONS|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|XDG_STATE_HOME|STATE_DIRECTORY|HOME)$' "$scratch/looks" || true)
  [ -z "$by_others$for_others" ]
}

# hidden OPTIONS [SECRET...]: after a login, the token is in two places (what requests read, and the record), and the password
# and each secret in no more than one. Once the client is released, only the token is left, which the next client would take.
hidden() {
  python3 - "$scratch/secrets" "$@" <<'P'
import os, subprocess, sys

def veiled(text):
    return "".join("%02x" % (byte ^ 0x5A) for byte in text.encode())

program, options, *secrets = sys.argv[1:]
password = "correct-horse-battery-staple"
told = {
    "TPS_TEST_PASSWORD": veiled(password),
    "TPS_TEST_OPTIONS": veiled(options),
    "TPS_TEST_SECRETS": ",".join(veiled(secret) for secret in [password, *secrets]),
}
ran = subprocess.run([program], env=told, capture_output=True, text=True)
print(ran.stdout, ran.stderr, "as token, password, others")
with_client, after = ([int(count) for count in line.split()[1:]] for line in ran.stdout.splitlines())
assert ran.returncode == 0 and with_client[0] == after[0] == 2, "the token"
assert max(with_client[1:]) <= 1, "more than one copy"
assert not any(after[1:]), "left behind"
P
}

by_http() { hidden "{\"base_url\":\"$TPS_TEST_FAULTS/ok/c-memory-$$\",\"cache\":\"memory\"}"; }
by_tls() { hidden "$(options tls ',"cache":"memory"')"; }
by_file() { hidden "$(options file ",\"cache\":\"file:$scratch/store\"")"; }
by_proxy() {
  port=$(free_port)
  printf 'Port %s\nListen 127.0.0.1\nTimeout 30\nBasicAuth clerk proxy-s3same\n' "$port" >"$scratch/tinyproxy"
  listen tinyproxy -d -c "$scratch/tinyproxy"
  hidden "$(options proxy ",\"cache\":\"memory\",\"proxy\":\"http://clerk:proxy-s3same@127.0.0.1:$port\"")" \
    proxy-s3same "$(printf clerk:proxy-s3same | base64)"
}
by_redis() {
  port=$(free_port)
  listen redis-server --port "$port" --bind 127.0.0.1 --save '' --requirepass redis-s3same
  hidden "$(options redis ",\"cache\":\"redis://:redis-s3same@127.0.0.1:$port\"")" redis-s3same
}

check "20 programs that set environment variables during their login get a token" beside_setenv
check "only the thread that calls tps_login looks into the environment" looks looks memory
check "the same with the file store" looks looks-file "file:$scratch/looks-store"
check "a login over HTTP leaves no copy of a secret in memory" by_http
check "a login over TLS leaves none" by_tls
check "the file store leaves none" by_file
check "a proxy's user name and password leave none" by_proxy
check "Redis' password leaves none" by_redis
[ "$failed" -eq 0 ]
