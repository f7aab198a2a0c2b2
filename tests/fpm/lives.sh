# shellcheck shell=bash
# Sourced by run.sh: workers that do not live to see the end of a login, and workers that stay for long.
# shellcheck disable=SC2034,SC2154 # for run.sh, and from there and from pool.sh

killed_in_a_login() {
    fresh '{"latency": 5}'
    site ffi.enable 8
    pool hasty 1 "php_admin_value[ffi.enable] = 1" "request_terminate_timeout = 2s"
    start

    local pages killed
    queue 1 "hasty/login.php?" >"$directory/killed" &
    killed=$!
    await_login
    check "a login holds a lock" "$(($(locks) > 0))" 1
    control PATCH "$organization/" '{"latency": 0}' >/dev/null
    mapfile -t pages < <(herd 8 site/login.php)
    wait "$killed" || true
    check "a worker is killed in its login" "$(cat "$directory/killed")" 502
    check "the others have a token" "$(tokens "${pages[@]}")" 8
    check "the others have the same token" "$(different token "${pages[@]}")" 1
    check "at most one login more" "$(($(logins_at_server) <= 2))" 1
    check "no lock stays" "$(locks)" 0
    stop
}

# A limit that is shorter than a login takes: each request that logs in ends its worker.
killed_in_each_login() {
    fresh '{"latency": 4}'
    site ffi.enable 4
    pool hasty 4 "php_admin_value[ffi.enable] = 1" "request_terminate_timeout = 1s"
    start

    queue 12 "hasty/login.php?" >"$directory/statuses"
    check "killed in each login: requests are killed" "$(($(grep -c 502 "$directory/statuses") >= 3))" 1
    check "killed in each login: at most three logins" "$(($(logins_at_server) <= 3))" 1
    said=$(of error "$(page hasty/login.php)")
    says "killed in each login: then they say why none is sent" "login budget used up"
    said=$(of error "$(page site/login.php)")
    says "killed in each login: so does another pool" "login budget used up"
    says "killed in each login: and for how long" "(nothing is sent for "

    herd 16 hasty/login.php >/dev/null
    control PATCH "$organization/" '{"latency": 0}' >/dev/null
    herd 16 site/login.php >/dev/null
    check "killed in each login: still at most three" "$(($(logins_at_server) <= 3))" 1
    check "killed in each login: no lock stays" "$(locks)" 0
    stop
}

# One of the workers renews, while all go on with the current token.
renewed_ahead() {
    fresh '{"token_life": 30}'
    site ffi.enable 4
    start

    local first before during after i url="site/login.php?ahead=15&"
    first=$(of token "$(page "$url")")
    control PATCH "$organization/" '{"latency": 5}' >/dev/null
    # All workers keep asking until the first of them renews, which it may do when half of the life is over.
    before=()
    for ((i = 0; i < 100; i++)); do
        mapfile -t -O "${#before[@]}" before < <(herd 8 "$url")
        [[ $(logins_at_server) == 1 ]] || break
        sleep 0.2
    done
    mapfile -t during < <(herd 8 "$url")
    check "renewed ahead: the renewal is under way" "$(logins_at_server) $(count_at_server tokens_made)" "2 1"
    check "renewed ahead: all go on with the present token" "$(of token "${before[@]}" "${during[@]}" | sort -u)" "$first"

    for ((i = 0; i < 100; i++)); do
        mapfile -t after < <(herd 16 "$url")
        [[ $(different token "${after[@]}") == 1 && $(of token "${after[0]}") != "$first" ]] && break
        sleep 0.2
    done
    check "renewed ahead: several workers have the new token" "$(($(different pid "${after[@]}") > 1)) $(different token "${after[@]}")" "1 1"
    check "renewed ahead: another one" "$(of token "${after[@]}" | grep -cFx "$first")" 0
    check "renewed ahead: one login for the renewal" "$(logins_at_server) $(count_at_server tokens_made)" "2 2"
    check "renewed ahead: nothing in FPM's log" "$(complaints)" ""
    stop
}
