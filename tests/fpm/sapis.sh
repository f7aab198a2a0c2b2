#!/usr/bin/env bash
# libtps in PHP's other SAPIs: Apache's module, the server of `php -S`, and the command line. One login for all of them.
# Needs TPS_TEST_SERVER, the server of tests/knox. TPS_LIBRARY chooses the library.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
library=${TPS_LIBRARY:-$repository/target/release/libtps.so}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/fpm/pool.sh
. "$here/pool.sh"

suite=sapis
failures=0
modules=/usr/lib/apache2/modules

main() {
    trap clean_up EXIT
    : "${TPS_TEST_SERVER:?tests/fpm/sapis.sh needs the server that tests/run.sh starts}"
    [[ -r $library ]] || fail "there is no $library: cargo build --release"
    compgen -G "$modules/libphp8*.so" >/dev/null || fail "Apache's PHP is missing: apt-get install libapache2-mod-php"
    lay_out
    fresh '{}'
    rm -f "$directory"/*.sock

    apache_without_a_setting
    apache "a virtual host" "php_admin_value ffi.enable 1"
    apache_preloading
    built_in_server
    command_line
    check "Apache, php -S and the command line: one login" "$(logins_at_server)" 1
    [[ $failures == 0 ]]
}

# apache WHAT LINE...: Apache with these lines in its configuration has the token.
apache() {
    local what=$1
    shift
    start_apache "$@"
    mapfile -t bodies < <(page_at_port; page_at_port; page_at_port)
    check "Apache, $what: three pages, each with a token" "$(of token "${bodies[@]}" | grep -c '^[0-9a-f]\{64\}$')" 3
    check "Apache, $what: no complaint in its log" "$(grep -E 'PHP (Fatal|Warning|Parse)|exit signal' "$directory/apache.log" || true)" ""
    stop
}

apache_without_a_setting() {
    start_apache
    local said line
    said=$(of error "$(page_at_port)")
    check "Apache, nothing set up: names what is wrong" "$(grep -o 'SAPI apache2handler, ffi.enable=preload' <<<"$said")" \
        "SAPI apache2handler, ffi.enable=preload"
    stop
    # shellcheck disable=SC2016 # no command
    line=$(grep -o '`php_admin_value[^`]*`' <<<"$said" | tr -d '`')
    apache "the line that it shows" "$line"
}

apache_preloading() {
    "$directory/package/bin/tps-preload" "$directory/preloaded" >/dev/null
    mkdir -p "$directory/ini"
    {
        printf '%s\n' "extension=ffi" "zend_extension=opcache" "opcache.preload=$directory/preloaded/preload.php"
        [[ ${#user[@]} == 0 ]] || echo "opcache.preload_user=${user[0]}"
    } >"$directory/ini/php.ini"
    apache "preloading" "PHPIniDir $directory/ini"
}

# start_apache LINE...: one process a page, with the module for PHP, on a socket's port of the system's choice.
start_apache() {
    local module variables=() php
    php=$(compgen -G "$modules/libphp8*.so" | sort -V | tail -n 1)
    port=$(free_port)
    {
        printf '%s\n' "ServerRoot $directory" "PidFile $directory/apache.pid" "ErrorLog $directory/apache.log" "ServerName localhost" \
            "Listen 127.0.0.1:$port" "Mutex file:$directory"
        for module in mpm_prefork authz_core env; do
            [[ ! -r $modules/mod_$module.so ]] || echo "LoadModule ${module}_module $modules/mod_$module.so"
        done
        echo "LoadModule php_module $php"
        printf '%s\n' "$@" "DocumentRoot $directory/pages" "<Directory $directory/pages>" "Require all granted" \
            "SetHandler application/x-httpd-php" "</Directory>" "StartServers 2" "MaxRequestWorkers 4"
        [[ ${#user[@]} == 0 ]] || printf '%s\n' "User ${user[0]}" "Group ${user[0]}"
    } >"$directory/apache.conf"
    : >"$directory/apache.log"
    mapfile -t variables < <(environment)
    # At its end Apache kills its whole process group.
    setsid env "${variables[@]}" apache2 -f "$directory/apache.conf" -D FOREGROUND >>"$directory/apache.out" 2>&1 &
    daemons+=("$!")
    answers none.php
}

# stop: in place of pool.sh's, whose signal is FPM's and nginx's.
stop() {
    local daemon
    for daemon in "${daemons[@]}"; do
        # One that as_user has started is a child of a shell.
        pkill -P "$daemon" || true
        kill "$daemon" 2>/dev/null || true
    done
    wait "${daemons[@]}" 2>/dev/null || true
    daemons=()
}

# answers PAGE: waits until there is a server at the port.
answers() {
    local i
    for ((i = 0; i < 100; i++)); do
        ! curl -s -o /dev/null "http://127.0.0.1:$port/$1" || return 0
        sleep 0.1
    done
    fail "no server answers: $(cat "$directory"/{apache.out,apache.log,built-in.log} 2>/dev/null)"
}

page_at_port() {
    curl -sS --max-time 30 "http://127.0.0.1:$port/login.php"
}

built_in_server() {
    local said setting
    for setting in ffi.enable=preload ffi.enable=1; do
        port=$(free_port)
        as_user php -d "$setting" -S "127.0.0.1:$port" -t "$directory/pages" >/dev/null 2>"$directory/built-in.log" &
        daemons+=("$!")
        answers none
        said=$(page_at_port)
        case $setting in
            ffi.enable=1) check "php -S with FFI: a token" "$(of token "$said" | grep -c '^[0-9a-f]\{64\}$')" 1 ;;
            *) check "php -S: says what to type" "$(of error "$said" | grep -oF 'php -d ffi.enable=1 -S')" "php -d ffi.enable=1 -S" ;;
        esac
        stop
    done
}

command_line() {
    check "the command line: a token" "$(of token "$(as_user php "$directory/pages/login.php")" | grep -c '^[0-9a-f]\{64\}$')" 1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

main
