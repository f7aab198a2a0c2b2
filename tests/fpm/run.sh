#!/usr/bin/env bash
# libtps in a real php-fpm behind nginx. Needs TPS_TEST_SERVER, the server of tests/knox. TPS_LIBRARY chooses the library.
#
# Each set-up below is a pool of its own: start it with its settings, ask for pages, check, stop it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
library=${TPS_LIBRARY:-$repository/target/release/libtps.so}
PATH=$PATH:/usr/sbin:/sbin

failures=0
daemons=()

main() {
    : "${TPS_TEST_SERVER:?tests/fpm/run.sh needs the server that tests/run.sh starts}"
    local tool
    for tool in php nginx curl; do
        command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install php-cli php-fpm nginx-light curl"
    done
    fpm=$(compgen -c php-fpm | sort -V | tail -n 1) || true
    [[ -n $fpm ]] || fail "php-fpm is missing: apt-get install php-fpm"
    [[ -r $library ]] || fail "there is no $library: cargo build --release"

    directory=$(mktemp -d)
    trap clean_up EXIT
    lay_out
    one_worker
    switched_off
    [[ $failures == 0 ]]
}

# The set-ups

one_worker() {
    new_organization
    start "pm = static" "pm.max_children = 1" "php_admin_value[ffi.enable] = 1"

    local pages=() i
    for i in 1 2 3; do
        pages+=("$(page login.php)") || true
    done
    check "three pages, each with a token" "$(of token "${pages[@]}" | grep -c '^[0-9a-f]\{64\}$')" 3
    check "one worker, one process" "$(of pid "${pages[@]}" | sort -u | grep -c .)" 1
    check "the same token" "$(of token "${pages[@]}" | sort -u | wc -l)" 1
    check "one login by the library's count" "$(of logins "${pages[@]}" | sort -u)" 1
    check "one login by the server's count" "$(logins_at_server)" 1
    check "nothing in FPM's log" "$(grep -Ev ' NOTICE: ' "$directory/fpm.log")" ""
    stop
}

# PHP's default is no FFI under FPM: what the page then says shall be enough to go on.
switched_off() {
    new_organization
    start "pm = static" "pm.max_children = 1"

    local said
    said=$(of error "$(page login.php)")
    check "FFI switched off: names what is wrong" "$(grep -o 'SAPI fpm-fcgi, ffi.enable=preload' <<<"$said")" \
        "SAPI fpm-fcgi, ffi.enable=preload"
    check "FFI switched off: says what to write" "$(grep -oF 'php_admin_value[ffi.enable] = 1' <<<"$said")" \
        "php_admin_value[ffi.enable] = 1"
    check "FFI switched off: no login" "$(logins_at_server)" 0
    stop
}

# The tools they share

# What the pool's user may read: a copy, as Composer would lay it out.
lay_out() {
    chmod 0755 "$directory"
    mkdir "$directory/www" "$directory/package" "$directory/package/lib"
    cp -r "$repository/bindings/php/src" "$repository/bindings/php/autoload.php" "$directory/package/"
    cp "$library" "$directory/package/lib/libtps.so"
    cp "$repository/include/tps_ffi.h" "$directory/package/lib/"
    cp "$here"/*.php "$directory/www/"
    chmod -R a+rX "$directory/package" "$directory/www"
}

new_organization() {
    local answer
    answer=$(curl -fsS -X POST -H 'Content-Type: application/json' -d '{}' "$TPS_TEST_SERVER/_test/organizations/")
    organization=$(of organization_id "$answer")
    username=$(of username "$answer")
    password=$(of password "$answer")
}

logins_at_server() {
    of logins "$(curl -fsS "$TPS_TEST_SERVER/_test/organizations/$organization/")"
}

# start LINE...: FPM with these lines in its pool, and nginx before it. Sockets in our directory collide with nobody.
start() {
    local user=() nginx_user=""
    if [[ $(id -u) == 0 ]]; then
        user=("user = www-data" "listen.owner = www-data")
        nginx_user="user www-data;"
    fi
    {
        printf '%s\n' "[global]" "error_log = $directory/fpm.log" "[www]" "listen = $directory/fpm.sock" \
            "catch_workers_output = yes" "env[TPS_BASE_URL] = $TPS_TEST_SERVER" "env[TPS_USERNAME] = $username" \
            "env[TPS_PASSWORD] = $password" "env[TPS_ORGANIZATION_ID] = $organization" "${user[@]}" "$@"
    } >"$directory/fpm.conf"
    cat >"$directory/nginx.conf" <<END
$nginx_user
worker_processes 1;
error_log $directory/nginx.log;
pid $directory/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path $directory/nginx-body;
    fastcgi_temp_path $directory/nginx-fastcgi;
    proxy_temp_path $directory/nginx-proxy;
    scgi_temp_path $directory/nginx-scgi;
    uwsgi_temp_path $directory/nginx-uwsgi;
    server {
        listen unix:$directory/nginx.sock;
        root $directory/www;
        location ~ \.php$ {
            fastcgi_pass unix:$directory/fpm.sock;
            fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param QUERY_STRING \$query_string;
        }
    }
}
END
    : >"$directory/fpm.log"
    "$fpm" --nodaemonize --fpm-config "$directory/fpm.conf" 2>>"$directory/fpm.err" &
    daemons+=("$!")
    nginx -e "$directory/nginx.log" -c "$directory/nginx.conf" -g 'daemon off;' &
    daemons+=("$!")
    wait_for "$directory/fpm.sock"
    wait_for "$directory/nginx.sock"
}

stop() {
    local daemon
    for daemon in "${daemons[@]}"; do
        kill -QUIT "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    done
    daemons=()
    rm -f "$directory/fpm.sock" "$directory/nginx.sock"
}

clean_up() {
    if [[ $failures != 0 ]]; then
        cat "$directory/fpm.err" "$directory/fpm.log" "$directory/nginx.log" 2>/dev/null || true
    fi
    stop
    rm -rf "$directory"
}

wait_for() {
    local i
    for ((i = 0; i < 100; i++)); do
        if [[ -S $1 ]]; then
            return
        fi
        sleep 0.1
    done
    check "$(basename "$1" .sock) starts" "no socket" ""
    exit 1
}

# page NAME: the body, even of an error page.
page() {
    curl -sS --max-time 30 --unix-socket "$directory/nginx.sock" "http://localhost/$1"
}

# of KEY JSON...: the value of that key in each, a line each.
of() {
    # shellcheck disable=SC2016 # PHP's variables
    php -r '
        $key = $argv[1];
        foreach (array_slice($argv, 2) as $json) {
            echo json_decode($json, true)[$key] ?? "no $key in: $json", "\n";
        }' -- "$@"
}

check() {
    if [[ $2 == "$3" ]]; then
        echo "ok - fpm: $1"
    else
        echo "not ok - fpm: $1 (it is \"$2\", not \"$3\")"
        failures=$((failures + 1))
    fi
}

fail() {
    echo "not ok - fpm: $1"
    exit 1
}

main
