#!/usr/bin/env bash
# Measures the library beside what one would use instead, on this machine: benches/results.json and benches/results.svg, and a
# table on standard output. Takes a few minutes; installs what it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PYTHONDONTWRITEBYTECODE=1
# shellcheck source=tests/packages.sh
. tests/packages.sh
need build-essential curl git openssl python3 python3-venv ruby ruby-ffi ruby-activesupport php-cli php-fpm php-curl \
  php-apcu php-guzzlehttp-guzzle nginx-light redis-server
need_rust
PATH=$PATH:/usr/sbin:/sbin

scratch=$(mktemp -d)
# shellcheck source=tests/servers.sh
. tests/servers.sh
lines=$scratch/lines
say() { echo "== $1" >&2; }

# tls NAME URL: nginx with TLS in front of a server; its URL goes into the variable `url`.
tls() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >"$scratch/$1.conf" <<CONF
worker_processes 1;
error_log $scratch/$1.log;
pid $scratch/$1.pid;
events {}
http {
    access_log off;
    client_body_temp_path $scratch/$1-body;
    proxy_temp_path $scratch/$1-proxy;
    fastcgi_temp_path $scratch/$1-fastcgi;
    scgi_temp_path $scratch/$1-scgi;
    uwsgi_temp_path $scratch/$1-uwsgi;
    server {
        listen 127.0.0.1:$port ssl;
        ssl_certificate $scratch/server.crt;
        ssl_certificate_key $scratch/server.key;
        location / { proxy_pass $2; }
    }
}
CONF
  nginx -e "$scratch/$1.log" -c "$scratch/$1.conf" -g 'daemon off;' &
  servers+=("$!")
  url=https://127.0.0.1:$port
  until curl -s --cacert "$scratch/ca.pem" -o /dev/null "$url"; do sleep 0.1; done
}

# organization SERVER [LIFE]: a fresh one whose tokens live so many seconds, into the variables that the bindings read.
organization() {
  read -r TPS_USERNAME TPS_PASSWORD TPS_ORGANIZATION_ID < <(curl -sS -X POST -H 'Content-Type: application/json' \
    -d "{\"token_limit\": null, \"token_life\": ${2:-36000}}" "$1/_test/organizations/" |
    python3 -c 'import json, sys; made = json.load(sys.stdin); print(made["username"], made["password"], made["organization_id"])')
  export TPS_USERNAME TPS_PASSWORD TPS_ORGANIZATION_ID
}

# compare ROW UNIT OURS AGAINST OTHER: two files of numbers as one line of JSON.
compare() {
  python3 - "$@" <<'P'
import json, sys
row, unit, ours, against, other = sys.argv[1:]
read = lambda name: [float(line) for line in open(name)]
print(json.dumps({"row": row, "unit": unit, "ours": read(ours), "against": against, "other": read(other)}))
P
}

# by_turns N OURS OTHER: runs two functions by turns; what they print goes to $scratch/ours and $scratch/other.
by_turns() {
  local i
  "$2" >/dev/null
  "$3" >/dev/null
  : >"$scratch/ours"
  : >"$scratch/other"
  for ((i = 0; i < $1; i++)); do
    "$2" >>"$scratch/ours"
    "$3" >>"$scratch/other"
  done
}

say "build"
# As a release has it: beside the Rust library cargo would leave out the optimization across crates.
cargo rustc --release --locked --quiet --lib --crate-type cdylib --target-dir target/bench
library=$PWD/target/bench/release/libtps.so
mkdir "$scratch/lib"
cp "$library" "$scratch/lib/libtps.so.0"
ln -s libtps.so.0 "$scratch/lib/libtps.so"
for program in hot renewal many cold; do
  cc -std=gnu11 -O2 -Wall -Wextra -Werror "benches/c/$program.c" -o "$scratch/$program" -Iinclude "-L$scratch/lib" \
    "-Wl,-rpath,$scratch/lib" -ltps -lpthread
done
export TPS_LIBRARY=$library XDG_STATE_HOME=$scratch/state
tests/certificates.sh "$scratch"
start faults python3 tests/faults/server.py
faults=$url
start knox tests/knox/serve
export TPS_TEST_SERVER=$url TPS_BASE_URL=$url
tls fast "$TPS_TEST_SERVER"
# The others trust what the library trusts: the system's authorities, and the tests'.
cat /etc/ssl/certs/ca-certificates.crt "$scratch/ca.pem" >"$scratch/bundle.pem"
export BENCH_TLS=$url BENCH_CA=$scratch/ca.pem BENCH_BUNDLE=$scratch/bundle.pem
start slow tests/knox/serve --slow-hasher
slow=$url
tls slow-tls "$slow"
slow_tls=$url

say "C: the hot path"
"$scratch/hot" "$faults/expiry-null/hot" "" >>"$lines"
"$scratch/hot" "$faults/life36000/end" "expiry: " >>"$lines"

say "C: a renewal beside it (half a minute)"
"$scratch/renewal" "$faults/life30,slow4/renewal" >>"$lines"

say "PHP and Ruby: the hot path"
for life in null 36000; do
  organization "$TPS_TEST_SERVER" "$life"
  prefix=
  [ "$life" = null ] || prefix="expiry: "
  php -d opcache.enable_cli=1 -d apc.enable_cli=1 benches/php/token.php "$prefix" >>"$lines"
  ruby -Ibindings/ruby/lib benches/ruby/token.rb "$prefix" >>"$lines"
done

say "PHP and Ruby: a request"
organization "$TPS_TEST_SERVER" null
php benches/php/request.php >>"$lines"
ruby -Ibindings/ruby/lib benches/ruby/request.rb >>"$lines"

say "Python: the hot path"
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'cachetools>=5.5,<8' 'redis>=5.2,<9'
redis-server --port 0 --unixsocket "$scratch/redis.sock" --dir "$scratch" --save '' >"$scratch/redis.log" &
servers+=("$!")
until [ -S "$scratch/redis.sock" ]; do sleep 0.1; done
for life in null 36000; do
  organization "$TPS_TEST_SERVER" "$life"
  prefix=
  [ "$life" = null ] || prefix="expiry: "
  BENCH_REDIS=$scratch/redis.sock PYTHONPATH=bindings/python/src "$scratch/venv/bin/python" benches/python/hot.py "$prefix" >>"$lines"
done

say "a new process"
organization "$slow"
warm() { "$scratch/cold" "$slow_tls" "file:$scratch/warm" "$TPS_USERNAME" "$TPS_PASSWORD" "$TPS_ORGANIZATION_ID" "$BENCH_CA"; }
cold() { "$scratch/cold" "$slow_tls" memory "$TPS_USERNAME" "$TPS_PASSWORD" "$TPS_ORGANIZATION_ID" "$BENCH_CA"; }
by_turns 31 warm cold
compare "a new process" us "$scratch/ours" "a login, Django's default hasher" "$scratch/other" >>"$lines"

say "first logins"
php benches/php/login.php >>"$lines"
ruby -Ibindings/ruby/lib benches/ruby/login.rb >>"$lines"

say "loading the library in PHP"
echo '<?php' >"$scratch/empty.php"
milliseconds() { python3 - "$@" <<'P'
import subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print((time.perf_counter() - start) * 1e3)
P
}
# With opcache, as a site has it.
mkdir "$scratch/opcache"
php=(php -d opcache.enable_cli=1 -d opcache.file_cache="$scratch/opcache" -d opcache.file_cache_only=1)
loading() { milliseconds "${php[@]}" benches/php/load.php; }
empty() { milliseconds "${php[@]}" "$scratch/empty.php"; }
by_turns 41 loading empty
compare "loading in PHP" ms "$scratch/ours" "an empty script" "$scratch/other" >>"$lines"

say "10,000 organizations (10,000 logins)"
"$scratch/many" "$faults/expiry-null/many" >>"$lines"

say "8 FPM workers, 10,000 page views, and the same with the documentation's sample"
benches/fpm/run.sh >>"$lines"

printf '{"row": "size", "unit": "byte", "ours": [%s], "against": "3.5 MiB", "other": [3670016]}\n' \
  "$(stat -c %s "$library")" >>"$lines"
python3 benches/report.py "$lines" benches/results.json benches/results.svg
