#!/usr/bin/env bash
# Cron jobs with the command `tps` beside a php-fpm of the same user: they share one token. Needs TPS_TEST_SERVER, the server
# of tests/knox. TPS_LIBRARY chooses the library, TPS_COMMAND the command.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# By root the pool's user has its usual place: /var/tmp, here one of this script's own.
if [[ $(id -u) == 0 && ! -v TPS_TEST_TMP ]] && unshare -m true 2>/dev/null; then
    TPS_TEST_TMP=$(mktemp -d)
    export TPS_TEST_TMP
    trap 'rm -rf "$TPS_TEST_TMP"' EXIT
    chmod 1777 "$TPS_TEST_TMP"
    # shellcheck disable=SC2016 # the other shell's variables
    unshare -m --propagation private bash -c 'mount --bind "$TPS_TEST_TMP" /var/tmp && exec bash "$0"' "${BASH_SOURCE[0]}"
    exit
fi
repository=$(cd "$here/../.." && pwd)
library=${TPS_LIBRARY:-$repository/target/release/libtps.so}
command=${TPS_COMMAND:-$repository/target/debug/tps}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/fpm/pool.sh
. "$here/pool.sh"

suite=cron
failures=0

main() {
    trap clean_up EXIT
    : "${TPS_TEST_SERVER:?tests/fpm/cron.sh needs the server that tests/run.sh starts}"
    [[ -r $library ]] || fail "there is no $library: cargo build --release"
    [[ -x $command ]] || fail "there is no $command: cargo build --features command --bin tps"
    lay_out
    install -m 0755 "$command" "$directory/tps"

    beside_a_pool
    at_once
    [[ $failures == 0 ]]
}

# What a pool's process knows. Where it keeps its token, nothing says, if /var/tmp is this script's own.
environment() {
    printf '%s\n' "TPS_BASE_URL=$TPS_TEST_SERVER" "TPS_USERNAME=$username" "TPS_PASSWORD=$password" \
        "TPS_ORGANIZATION_ID=$organization"
    [[ -v TPS_TEST_TMP ]] || echo "XDG_STATE_HOME=$state"
}

site() {
    fresh "$1"
    rm -rf /var/tmp/tps-*
    pool site 4 "php_admin_value[ffi.enable] = 1"
    environment | grep -v '^TPS_BASE_URL\|^XDG' >"$directory/credentials"
    chmod 0600 "$directory/credentials"
    [[ ${#user[@]} == 0 ]] || chown "${user[0]}" "$directory/credentials"
    start
}

# cron LINE: as cron runs it, but without a home: no terminal, no variables but the crontab's own.
cron() {
    local state_home=()
    [[ -v TPS_TEST_TMP ]] || state_home=("XDG_STATE_HOME=$state")
    setsid --wait env -i -C / PATH=/usr/bin:/bin TPS_BASE_URL="$TPS_TEST_SERVER" "${state_home[@]}" tps="$directory/tps" \
        file="$directory/credentials" ${user:+setpriv --reuid "${user[0]}" --regid "${user[0]}" --clear-groups} \
        /bin/sh -c "$1" </dev/null
}

# shellcheck disable=SC2016 # the job's own shell
job='curl -fsS -H "Authorization: Token $($tps token --credentials $file)" $TPS_BASE_URL/api/v1/organizations/'

beside_a_pool() {
    site '{}'
    local page status
    page=$(page site/login.php)
    check "a page logs in" "$(of token "$page" | grep -c '^[0-9a-f]\{64\}$'), $(logins_at_server)" "1, 1"
    check "the job's curl is let in" "$(of count "$(cron "$job")")" 1
    # shellcheck disable=SC2016
    check "the job has the page's token" "$(cron '$tps token --credentials $file')" "$(of token "$page")"
    # shellcheck disable=SC2016
    status=$(cron '$tps status --json --credentials $file')
    check "tps status names the page's process" "$(of process "$(last_login "$status")")" "$(of pid "$page")"
    check "tps status says why it logged in" "$(of reason "$(last_login "$status")")" first
    # shellcheck disable=SC2016
    check "tps doctor finds nothing wrong" "$(cron '$tps doctor --credentials $file' | grep -c '^BAD' || true)" 0
    check "a page and its jobs: one login" "$(logins_at_server)" 1
    stop
}

# Neither is first.
at_once() {
    site '{"latency": 1}'
    local i jobs=()
    for i in 1 2 3 4; do
        cron "$job" >"$directory/job.$i" &
        jobs+=("$!")
    done
    mapfile -t pages < <(herd 8 site/login.php)
    wait "${jobs[@]}"
    check "8 pages and 4 jobs at once: the pages have one token" "$(of token "${pages[@]}" | sort -u | grep -c '^[0-9a-f]\{64\}$')" 1
    check "8 pages and 4 jobs at once: each job's curl is let in" "$(cat "$directory"/job.? | grep -o '"count":1' | grep -c .)" 4
    check "8 pages and 4 jobs at once: one login" "$(logins_at_server)" 1
    stop
}

# last_login STATUS: that part of what `tps status --json` says.
last_login() {
    # shellcheck disable=SC2016 # PHP's variables
    php -r 'echo json_encode(json_decode($argv[1], true)["last_login"]);' -- "$1"
}

main
