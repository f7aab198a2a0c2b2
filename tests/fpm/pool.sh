# shellcheck shell=bash
# Sourced by run.sh: php-fpm behind nginx, and an organization at the test server.
#
# All is in one directory: sockets there collide with nobody, and the pool's user may read what is needed.

umask 022
# The name of the library's directory in the package.
platform=$(uname -m)-linux-gnu
fpm=$(compgen -c php-fpm | sort -V | tail -n 1) || true
directory=$(mktemp -d)
state=$directory/state
# FPM does not start as root without another user for its workers, and no preloading without one for that.
user=()
[[ $(id -u) != 0 ]] || user=(www-data)
ini=()
pools=()
daemons=()

# A copy of the package, as Composer would lay it out, of the Ruby binding, and of the pages.
# shellcheck disable=SC2154 # run.sh has the places
lay_out() {
    local bindings=$repository/bindings
    chmod 0755 "$directory"
    mkdir -p "$directory/pages" "$directory/package/lib/$platform"
    cp -r "$bindings/php/"{src,bin,autoload.php,preload.php,version.php} "$directory/package/"
    cp "$library" "$directory/package/lib/$platform/libtps.so"
    cp -r "$bindings/ruby/lib" "$directory/ruby"
    cp "$here"/*.php "$directory/pages/"
    chmod -R a+rX "$directory"
}

# fresh [SETTINGS]: another organization, an empty store, no pool.
fresh() {
    local answer
    answer=$(control POST "" "${1:-{\}}")
    organization=$(of organization_id "$answer")
    username=$(of username "$answer")
    password=$(of password "$answer")
    ini=()
    pools=()
    rm -rf "$state" "$directory"/*.conf
    mkdir -m 0700 "$state"
    [[ ${#user[@]} == 0 ]] || chown "${user[0]}" "$state"
}

# control METHOD PATH [JSON]: asks the test server's own interface.
control() {
    curl -fsS -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} "$TPS_TEST_SERVER/_test/organizations/$2"
}

logins_at_server() {
    count_at_server logins
}

count_at_server() {
    of "$1" "$(control GET "$organization/")"
}

# await_login: until the server knows of one, or ten seconds.
await_login() {
    local i
    for ((i = 0; i < 200; i++)); do
        [[ $(logins_at_server) == 0 ]] || return 0
        sleep 0.05
    done
}

# environment: what a process of the pool's user needs to know, as NAME=VALUE lines.
environment() {
    printf '%s\n' "TPS_BASE_URL=$TPS_TEST_SERVER" "TPS_USERNAME=$username" "TPS_PASSWORD=$password" \
        "TPS_ORGANIZATION_ID=$organization" "XDG_STATE_HOME=$state"
}

# pool NAME WORKERS [LINE...]: one more pool for the next start; its pages are NAME/….
pool() {
    local name=$1 workers=$2
    shift 2
    pools+=("$name")
    {
        printf '%s\n' "[$name]" "listen = $directory/$name.sock" "pm = static" "pm.max_children = $workers" \
            "catch_workers_output = yes"
        [[ ${#user[@]} == 0 ]] || printf '%s\n' "user = ${user[0]}" "listen.owner = ${user[0]}"
        environment | sed 's/\([^=]*\)=\(.*\)/env[\1] = "\2"/'
        printf '%s\n' "$@"
    } >>"$directory/pools.conf"
}

# start: the pools, with the settings in the array `ini`, behind nginx.
start() {
    local flags=() setting name
    for setting in "${ini[@]}" ${user:+"opcache.preload_user=${user[0]}"}; do
        flags+=(-d "$setting")
    done
    printf '%s\n' "[global]" "error_log = $directory/fpm.log" "process_control_timeout = 10s" \
        "include = $directory/pools.conf" >"$directory/fpm.conf"
    cat >"$directory/nginx.conf" <<END
${user:+user ${user[0]};}
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
        location ~ ^/(\w+)/(\w+\.php)$ {
            fastcgi_pass unix:$directory/\$1.sock;
            fastcgi_param SCRIPT_FILENAME $directory/pages/\$2;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param QUERY_STRING \$query_string;
        }
    }
}
END
    : >"$directory/fpm.log"
    "$fpm" --nodaemonize "${flags[@]}" --fpm-config "$directory/fpm.conf" 2>"$directory/fpm.err" &
    daemons+=("$!")
    nginx -e "$directory/nginx.log" -c "$directory/nginx.conf" -g 'daemon off;' &
    daemons+=("$!")
    for name in "${pools[@]}" nginx; do
        wait_for "$directory/$name.sock"
    done
}

stop() {
    local daemon
    for daemon in "${daemons[@]}"; do
        kill -QUIT "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    done
    daemons=()
    rm -f "$directory"/*.sock
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

# loaded_in_master: whether the library is there. One that was replaced by another file since is "(deleted)" there.
loaded_in_master() {
    if grep -q 'libtps\.so$' "/proc/${daemons[0]}/maps"; then echo yes; else echo no; fi
}

# complaints: what FPM has logged.
complaints() {
    grep -hv ' NOTICE: ' "$directory/fpm.log" "$directory/fpm.err" || true
}

# locks: how many are held on files of the store.
locks() {
    { grep -F -f <(find "$state" -type f -printf ':%i \n') /proc/locks || true; } | wc -l
}

# page NAME: the body, even of an error page.
page() {
    curl -sS --max-time 30 --unix-socket "$directory/nginx.sock" "http://localhost/$1"
}

# herd N NAME: that many requests at once; the bodies.
herd() {
    rm -f "$directory"/body.*
    curl --no-progress-meter --max-time 30 --parallel --parallel-immediate --parallel-max "$1" \
        --unix-socket "$directory/nginx.sock" --output "$directory/body.#1" "http://localhost/$2?[1-$1]"
    cat "$directory"/body.*
}

# queue N NAME: that many requests, one after another; the status of each.
queue() {
    curl -sS --max-time 30 --unix-socket "$directory/nginx.sock" --output /dev/null --write-out '%{http_code}\n' \
        "http://localhost/$2&[1-$1]"
}

# as_user COMMAND...: as a process of the pool's user, outside FPM.
as_user() {
    local variables
    mapfile -t variables < <(environment)
    env -i PATH="$PATH" TPS_LIBRARY="$directory/package/lib/$platform/libtps.so" "${variables[@]}" \
        ${user:+setpriv --reuid "${user[0]}" --regid "${user[0]}" --clear-groups} "$@"
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

# check WHAT IS EXPECTED: one test, told under the name of the suite.
check() {
    if [[ $2 == "$3" ]]; then
        echo "ok - ${suite:?}: $1"
    else
        echo "not ok - ${suite:?}: $1 (it is \"$2\", not \"$3\")"
        failures=$((failures + 1))
    fi
}

fail() {
    echo "not ok - ${suite:?}: $1"
    exit 1
}

# What a suite leaves behind; of one that failed, the servers' logs are shown.
clean_up() {
    if [[ $failures != 0 ]]; then
        cat "$directory"/*.{err,log} 2>/dev/null || true
    fi
    stop
    rm -rf "$directory"
}
