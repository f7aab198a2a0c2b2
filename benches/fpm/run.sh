#!/usr/bin/env bash
# Ten thousand page views of a site that was just started, with 8 FPM workers: how many logins the server counts, with the
# library and with the documentation's sample. Prints one JSON object. Needs TPS_TEST_SERVER.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
# shellcheck disable=SC2034 # pool.sh lays it out
library=${TPS_LIBRARY:-$repository/target/release/libtps.so}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/fpm/pool.sh
. "$repository/tests/fpm/pool.sh"
trap 'stop; rm -rf "$directory"' EXIT

check() {
  echo "$1: $2" >&2
}

# logins_of PAGE: how many logins so many views of that page cost.
logins_of() {
  fresh '{"token_limit": null}'
  pool site 8 "php_admin_value[ffi.enable] = 1"
  start
  curl --no-progress-meter --parallel --parallel-max 16 --unix-socket "$directory/nginx.sock" \
    "http://localhost/site/$1?[1-10000]" >"$directory/tokens"
  [[ $(grep -cE '^[0-9a-f]{64}$' "$directory/tokens") == 10000 ]]
  logins_at_server
  stop
}

lay_out
ours=$(logins_of ours.php)
sample=$(logins_of sample.php)
printf '{"row": "10,000 pages", "unit": "login", "ours": [%s], "against": "the sample", "other": [%s]}\n' "$ours" "$sample"
