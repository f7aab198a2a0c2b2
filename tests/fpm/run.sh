#!/usr/bin/env bash
# libtps in a real php-fpm behind nginx. Needs TPS_TEST_SERVER, the server of tests/knox. TPS_LIBRARY chooses the library.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
library=${TPS_LIBRARY:-$repository/target/release/libtps.so}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/fpm/pool.sh
. "$here/pool.sh"
# shellcheck source=tests/fpm/lives.sh
. "$here/lives.sh"

suite=fpm
failures=0

main() {
    trap clean_up EXIT
    : "${TPS_TEST_SERVER:?tests/fpm/run.sh needs the server that tests/run.sh starts}"
    local tool setting
    for tool in php nginx curl ruby; do
        command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install php-cli php-fpm nginx-light curl ruby ruby-ffi"
    done
    [[ -n $fpm ]] || fail "php-fpm is missing: apt-get install php-fpm"
    [[ -r $library ]] || fail "there is no $library: cargo build --release"
    lay_out

    one_worker
    for setting in opcache.preload ffi.enable ffi.preload; do
        cold_herd "$setting"
    done
    herd_without_store
    other_programs
    bad_ends
    killed_in_a_login
    killed_in_each_login
    renewed_ahead
    reloaded_in_a_login
    upgraded
    nothing_set_up
    wrong_preload_file
    preloaded_for_a_pool
    switched_off
    for setting in opcache.preload ffi.preload; do
        releases_removed "$setting"
    done
    sealed
    newer_site
    too_many_logins
    [[ $failures == 0 ]]
}

# site SETTING WORKERS [LINE...]: a pool with FFI, in the one of the three ways of bindings/php/README.md that has its name
# from that setting.
site() {
    local setting=$1 workers=$2
    shift 2
    case $setting in
        opcache.preload) ini=("opcache.preload=$directory/package/preload.php") ;;
        ffi.enable) set -- "php_admin_value[ffi.enable] = 1" "$@" ;;
        ffi.preload)
            "$directory/package/bin/tps-preload" "$directory/preloaded" >/dev/null
            ini=("opcache.preload=$directory/preloaded/preload.php" "ffi.preload=$directory/preloaded/tps.h")
            ;;
    esac
    pool site "$workers" "$@"
}

# Three requests in one worker: one load, one login.
one_worker() {
    fresh
    site ffi.enable 1
    start

    local pages=() i
    for i in 1 2 3; do
        pages+=("$(page site/login.php)")
    done
    check "three pages, each with a token" "$(tokens "${pages[@]}")" 3
    check "one worker, one process" "$(different pid "${pages[@]}")" 1
    check "the same token" "$(different token "${pages[@]}")" 1
    check "one login by the library's count" "$(of logins "${pages[@]}" | sort -u)" 1
    check "one login by the server's count" "$(logins_at_server)" 1
    check "nothing in FPM's log" "$(complaints)" ""
    stop
}

cold_herd() {
    fresh '{"latency": 1}'
    site "$1" 8
    start

    local pages first
    mapfile -t pages < <(herd 16 site/login.php)
    first=$(of token "${pages[0]}")
    check "$1: 16 pages at once, each with a token" "$(tokens "${pages[@]}")" 16
    check "$1: 8 workers answered" "$(different pid "${pages[@]}")" 8
    check "$1: the same token" "$(different token "${pages[@]}")" 1
    check "$1: one login" "$(logins_at_server)" 1
    check "$1: the library is loaded before the workers are forked" "$(loaded_in_master)" \
        "$([[ $1 == ffi.preload ]] && echo yes || echo no)"
    check "$1: nothing in FPM's log" "$(complaints)" ""

    stop
    start
    mapfile -t pages < <(herd 16 site/login.php)
    check "$1: restarted: 16 pages with the same token" "$(of token "${pages[@]}" | grep -cFx "$first")" 16
    check "$1: restarted: several workers answered" "$(($(different pid "${pages[@]}") > 1))" 1
    check "$1: restarted: still one login" "$(logins_at_server)" 1
    stop
}

# What the store is for, and that the herd is one.
herd_without_store() {
    fresh '{"latency": 1}'
    site ffi.enable 8 "env[TPS_CACHE] = memory"
    start
    herd 16 site/login.php >/dev/null
    check "without a store each worker logs in" "$(logins_at_server)" 8
    stop
}

other_programs() {
    fresh '{"latency": 1}'
    site ffi.enable 8
    start

    local pages programs=()
    as_user php "$directory/pages/login.php" >"$directory/cli" &
    programs+=("$!")
    as_user ruby -I"$directory/ruby" -rjson -rtps -e 'puts({token: TPS.from_env.token}.to_json)' >"$directory/ruby.json" &
    programs+=("$!")
    mapfile -t pages < <(herd 16 site/login.php)
    wait "${programs[@]}" || true
    pages+=("$(cat "$directory/cli")" "$(cat "$directory/ruby.json")")
    check "FPM, a CLI and a Ruby at once, each with a token" "$(tokens "${pages[@]}")" 18
    check "FPM, a CLI and a Ruby: the same token" "$(different token "${pages[@]}")" 1
    check "FPM, a CLI and a Ruby: one login" "$(logins_at_server)" 1
    stop
}

# No finally and, after a fatal error, no destructor runs.
bad_ends() {
    fresh
    site ffi.enable 1 "php_admin_flag[log_errors] = off" "php_admin_flag[display_errors] = off"
    start

    local before after
    queue 5 "site/end.php?how=exit" >/dev/null
    queue 5 "site/end.php?how=fatal" >/dev/null
    before=$(page site/login.php)
    check "50 pages end in exit()" "$(queue 50 "site/end.php?how=exit" | sort | uniq -c | xargs)" "50 200"
    check "50 pages end in a fatal error" "$(queue 50 "site/end.php?how=fatal" | sort | uniq -c | xargs)" "50 500"
    after=$(page site/login.php)
    check "bad ends: the worker goes on" "$(different pid "$before" "$after")" 1
    check "bad ends: nothing piles up" "$(($(of memory "$after") - $(of memory "$before") < 256))" 1
    check "bad ends: the same token" "$(different token "$before" "$after")" 1
    check "bad ends: one login" "$(logins_at_server)" 1
    stop
}

# A new library takes the old one's place, as a deployment does it.
reloaded_in_a_login() {
    fresh '{"latency": 2}'
    site ffi.preload 1
    start

    local before after asking
    page site/login.php >"$directory/before" &
    asking=$!
    await_login
    "$directory/package/bin/tps-preload" "$directory/preloaded" >/dev/null
    kill -USR2 "${daemons[0]}"
    wait "$asking" || true
    before=$(cat "$directory/before")
    after=$(page site/login.php)
    check "reloaded: the page under way has a token" "$(tokens "$before")" 1
    check "reloaded: another worker has the same token" "$(different pid "$before" "$after") $(different token "$before" "$after")" \
        "2 1"
    check "reloaded: the new library is loaded" "$(loaded_in_master)" yes
    check "reloaded: one login" "$(logins_at_server)" 1
    stop
}

# A new package takes the old one's place under running workers, as Composer does it: by renaming.
upgraded() {
    fresh
    site ffi.enable 2
    start

    local before pages=() i
    before=$(page site/login.php)
    cp -r "$directory/package" "$directory/newer"
    # Other bytes than those that the workers have loaded.
    printf 'newer' >>"$directory/newer/lib/$platform/libtps.so"
    mv "$directory/package" "$directory/older"
    mv "$directory/newer" "$directory/package"
    rm -r "$directory/older"
    for i in 1 2 3 4; do
        pages+=("$(page site/login.php)")
    done
    check "upgraded: each page has a token" "$(tokens "${pages[@]}")" 4
    check "upgraded: the same one as before" "$(different token "$before" "${pages[@]}")" 1
    check "upgraded: one login" "$(logins_at_server)" 1
    check "upgraded: nothing in FPM's log" "$(complaints)" ""
    stop
}

# PHP's default. Each of the two ways that the message shows is tried.
nothing_set_up() {
    fresh
    pool site 1
    ask
    says "nothing set up: names what is wrong" "SAPI fpm-fcgi, ffi.enable=preload"
    check "nothing set up: says what to write" "$(printf '%s\n' "${recipe[@]%%=*}" | xargs)" \
        "opcache.preload opcache.preload_user php_admin_value[ffi.enable]"
    check "nothing set up: no login" "$(logins_at_server)" 0

    fresh
    ini=("${recipe[@]:0:2}")
    pool site 1
    helps "nothing set up: preloading helps"

    fresh
    pool site 1 "${recipe[2]}"
    helps "nothing set up: the line in the pool helps"
}

wrong_preload_file() {
    local own=$directory/own.php
    fresh
    printf '<?php\n' >"$own"
    ini=("opcache.preload=$own")
    pool site 1
    ask
    says "another file preloaded: names it" "SAPI fpm-fcgi, ffi.enable=preload). $own is preloaded"
    printf '%s\n' "${recipe[0]}" >>"$own"
    helps "another file preloaded: the line in it helps"
}

preloaded_for_a_pool() {
    fresh
    pool site 1 "php_admin_value[opcache.preload] = $directory/package/preload.php"
    ask
    says "preloaded for a pool: says where it belongs" "php.ini, not into a pool"
}

switched_off() {
    fresh
    ini=("opcache.preload=$directory/package/preload.php" "ffi.enable=off")
    pool site 1
    ask
    says "switched off: names what is wrong" "SAPI fpm-fcgi, ffi.enable=0"
    ini[1]=${recipe[0]}
    helps "switched off: the setting helps"
}

# What a deployment does: FPM preloads from a directory of its own, the release that wrote it goes, and FPM starts again.
releases_removed() {
    fresh
    cp -r "$directory/package" "$directory/release"
    "$directory/release/bin/tps-preload" "$directory/preloaded" >/dev/null
    rm -rf "$directory/release"
    ini=("opcache.preload=$directory/preloaded/preload.php")
    [[ $1 == opcache.preload ]] || ini+=("ffi.preload=$directory/preloaded/tps.h")
    pool site 2
    start
    check "$1, the release removed: pages have a token" "$(tokens "$(page site/login.php)" "$(page site/login.php)")" 2
    check "$1, the release removed: nothing in FPM's log" "$(complaints)" ""
    stop
    start
    check "$1, the release removed and FPM restarted: a page has a token" "$(tokens "$(page site/login.php)")" 1
    check "$1, the release removed: one login" "$(logins_at_server)" 1
    stop
}

# ffi.enable=preload keeps FFI from pages: they must not get it from the package.
sealed() {
    local setting
    for setting in opcache.preload ffi.preload; do
        fresh
        site "$setting" 1
        start
        check "$setting: a page cannot use FFI" "$(of direct "$(page site/sealed.php)")" "restricted"
        check "$setting: nor reach it in the package" "$(of found "$(page site/sealed.php)")" "nothing"
        check "$setting: nor have an address of its own used" "$(of forged "$(page site/sealed.php)")" "refused refused refused refused"
        check "$setting: the number that its client watches leads" "$(of word "$(page site/sealed.php)")" "nowhere"
        check "$setting: the token is there" "$(of length "$(page site/sealed.php)")" 64
        stop
    done
}

# A second site of the same FPM, with a newer package than the preloaded one.
newer_site() {
    fresh
    "$directory/package/bin/tps-preload" "$directory/preloaded" >/dev/null
    sed -i "s/VERSION = '/&0.0./" "$directory/preloaded/src/Package.php"
    ini=("opcache.preload=$directory/preloaded/preload.php")
    pool site 1
    ask
    says "a newer site: says what to run" "/bin/tps-preload $directory/preloaded\` and restart PHP-FPM"
    rm -r "$directory/preloaded"
}

# The page of bindings/php/README.md that is told to wait.
too_many_logins() {
    fresh '{"throttle": {"allow": 0, "wait": 60}}'
    site ffi.enable 1
    start
    local head
    head=$(curl -sS -D - -o /dev/null --unix-socket "$directory/nginx.sock" http://localhost/site/busy.php | tr -d '\r')
    check "told to wait: 503 with Retry-After" "$(grep -cE '^HTTP/1.1 503 |^Retry-After: (60|59)$' <<<"$head")" 2
    check "told to wait: one login" "$(logins_at_server)" 1
    stop
}

# The tools they share

# What a page says is wrong, into `said`, and what it has in backquotes, into the array `recipe`.
ask() {
    start
    said=$(of error "$(page site/login.php)")
    stop
    # shellcheck disable=SC2016 # no command
    mapfile -t recipe < <(grep -o '`[^`]*`' <<<"$said" | tr -d '`')
}

says() {
    check "$1" "$(grep -oF "$2" <<<"$said")" "$2"
}

helps() {
    start
    check "$1" "$(tokens "$(page site/login.php)")" 1
    stop
}

# tokens JSON...: how many there are.
tokens() {
    of token "$@" | grep -c '^[0-9a-f]\{64\}$' || true
}

# different KEY JSON...: how many values that key has.
different() {
    of "$@" | sort -u | grep -c .
}

main
