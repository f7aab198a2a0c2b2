#!/usr/bin/env bash
# Runs all tests; installs what they need. Its last line is the count: `N passed, N failed, N skipped`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PYTHONDONTWRITEBYTECODE=1
# shellcheck source=tests/packages.sh
. tests/packages.sh
need_space 10 .
need_space 2 "${TMPDIR:-/tmp}"
# Where nothing knows "localhost", netbase brings it.
need netbase build-essential pkg-config libcurl4-openssl-dev libssl-dev libjansson-dev valgrind git python3 python3-venv shellcheck curl openssl \
  ruby ruby-ffi ruby-minitest ruby-faraday ruby-webmock ruby-sidekiq puma ruby-railties ruby-actionpack ruby-async \
  ruby-excon ruby-rest-client ruby-httparty ruby-http ruby-typhoeus ruby-httpclient bundler rubocop yard \
  php-cli php-fpm php-xml php-mbstring php-curl php-zip phpunit nginx-light composer zip unzip \
  php-guzzlehttp-guzzle php-psr-http-client php-psr-log php-illuminate-http php-illuminate-container php-phpoption php-vlucas-phpdotenv \
  php-symfony-http-client php-http-httplug php-react-promise apache2 libapache2-mod-php \
  tinyproxy-bin microsocks redis-server strace
# Debian 13 does not have the first two; the Faraday of Debian 12 has the third inside.
use ruby-vcr php-codesniffer ruby-faraday-multipart
need_rust
# Debian's Rust has these in packages of their own.
cargo fmt --version >/dev/null 2>&1 || need rustfmt-web
cargo clippy --version >/dev/null 2>&1 || need rust-web-clippy

# shellcheck source=tests/check.sh
. tests/check.sh
# The examples use the default store: here, and not where this user's tokens are.
export XDG_STATE_HOME=$scratch/state
# shellcheck source=tests/servers.sh
. tests/servers.sh

syntax() {
  local language=$1
  shift
  git ls-files "$@" | {
    local status=0
    while read -r file; do
      case $language in
        php) php -l "$file" ;;
        ruby) ruby -wc "$file" 2>&1 | tee /dev/stderr | grep -x "Syntax OK" ;;
      esac || status=1
    done
    return "$status"
  }
}

scripts() {
  git ls-files -z '*.sh' .ci/run tests/knox/serve | xargs -0 shellcheck -x
}

# suite WHAT PATTERN COMMAND...: a test program that counts its own tests. PATTERN finds the counts in its output: the
# groups `ran` (absent: each match is a test) and `failed`. One that ends in error without a failed test counts as one.
suite() {
  local what=$1 pattern=$2 status=0 start=$SECONDS ran bad
  shift 2
  "$@" >"$scratch/output" 2>&1 || status=$?
  read -r ran bad < <(python3 tests/count.py "$pattern" "$scratch/output")
  if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$ran" -eq 0 ]; }; then
    ran=$((ran + 1)) bad=1
  fi
  passed=$((passed + ran - bad)) failed=$((failed + bad))
  if [ "$bad" -eq 0 ]; then
    echo "ok - $what: $ran tests, $((SECONDS - start)) s"
  else
    echo "not ok - $what: $bad of $ran"
    sed 's/^/    /' "$scratch/output"
  fi
}

# ahead NAME COMMAND...: starts one that waits most of its time, beside what comes next.
ahead() {
  "${@:2}" >"$scratch/$1.output" 2>&1 &
  began[$1]=$!
}
declare -A began
# ended NAME: what it printed, and whether it failed.
ended() {
  local status=0
  wait "${began[$1]}" || status=$?
  cat "$scratch/$1.output"
  return "$status"
}

cp include/tps.h include/tps_ffi.h "$scratch"
echo "== build (the first one takes some minutes)"
cargo build --release --locked --quiet

same_headers() {
  cmp "$scratch/tps.h" include/tps.h && cmp "$scratch/tps_ffi.h" include/tps_ffi.h
}

echo "== scripts and sources"
check "the committed headers are what src/ffi makes" same_headers
check "cargo fmt" cargo fmt --check
check "clippy" cargo clippy --quiet --all-targets --locked --features command -- -D warnings
check "clippy, without Redis" cargo clippy --quiet --all-targets --locked --no-default-features -- -D warnings
check "shellcheck" scripts
check "words of documents, comments and messages" tests/prose.py
check "links, files, tests, statuses and options of documents" tests/links.py
if command -v phpcs >/dev/null; then
  check "PHP's style" env -C bindings/php phpcs -q -n
else
  skip "PHP's style: needs php-codesniffer"
fi
check "php -l" syntax php '*.php' 'bindings/php/bin/*'
check "ruby -wc" syntax ruby '*.rb' '*.gemspec'

suite "dependencies" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/dependencies.sh

echo "== test servers"
start_test_servers
for name in $(python3 - <<'P'
import ast
for node in ast.parse(open("tests/servers_test.py").read()).body:
    for item in getattr(node, "body", []):
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
            print(f"{node.name}.{item.name}")
P
); do
  check "servers: $name" python3 tests/servers_test.py "$name"
done

# Most of the next tests wait; meanwhile a tool of a later one is built. It says there what went wrong.
tests/c/cargo-c.sh >/dev/null 2>&1 &

echo "== Rust"
results='test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed'
suite "cargo test" "$results" tests/rust.sh
suite "cargo test, by Valkey" "$results" tests/valkey.sh

echo "== C"
suite "headers, library and C programs" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/c/run.sh

suite "C programs that end in a login" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/c/ends.sh

suite "the process of a C program" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/c/process.sh

suite "cargo cinstall" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/c/package.sh

documented() {
  env -C bindings/ruby yard stats --list-undoc --no-save --no-cache >"$scratch/yard" 2>&1
  cat "$scratch/yard"
  ! grep -q '^\[\(warn\|error\)\]' "$scratch/yard" && grep -q '100.00% documented' "$scratch/yard"
}

echo "== Ruby"
check "rubocop" env -C bindings/ruby rubocop
check "yard: everything public is documented" documented
ruby_tests() {
  # The one that builds gems first: it takes as long as all others.
  { echo test/package_test.rb; (cd bindings/ruby && ls test/*_test.rb) | grep -v package_test; } |
    env -C bindings/ruby ../../tests/parallel.sh ruby -w -Ilib -Itest {}
}
suite "minitest" '(?P<ran>\d+) runs, \d+ assertions, (?P<failed>\d+) failures, (?P<errors>\d+) errors' ruby_tests

echo "== PHP"
ahead fpm tests/fpm/run.sh
suite "PHPUnit" '(?:OK \(|Tests: )(?P<ran>\d+)(?:.*?Errors: (?P<errors>\d+))?(?:.*?Failures: (?P<failed>\d+))?' \
  env -C bindings/php phpunit
suite "php-fpm behind nginx" '(?m)^(?:ok|(?P<not>not ok)) - ' ended fpm
ahead cron tests/fpm/cron.sh
suite "Apache, php -S and the command line" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/fpm/sapis.sh
suite "cron beside php-fpm" '(?m)^(?:ok|(?P<not>not ok)) - ' ended cron

echo "== Python"
suite "pytest" '(?m)^(?:(?P<failed>\d+) failed, )?(?P<passed>\d+) passed' bindings/python/tests/run.sh

echo "== renewal"
suite "scripts that ask once and leave" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/renewal/run.sh

echo "== documents"
# The suites above ran the samples of Ruby, PHP and Python.
suite "commands and samples of the documents" '(?m)^(?:ok|(?P<not>not ok)) - ' tests/documents.sh --commands

# quickstart LOGINS: runs it as a newcomer does and looks at what it says.
quickstart() {
  env -u TPS_USERNAME -u TPS_PASSWORD -u TPS_ORGANIZATION_ID examples/quickstart.sh >"$scratch/quickstart"
  cat "$scratch/quickstart"
  [ "$(grep -E '^token: [0-9a-f]{64}$' "$scratch/quickstart" | sort | uniq -c | awk '{print $1}')" = 4 ]
  [ "$(grep -c "^organization: Hari's Academy$" "$scratch/quickstart")" -eq 4 ]
  [ "$(grep -c ': 1 login$' "$scratch/quickstart")" -eq "$1" ]
  [ "$(grep -c ': 0 logins$' "$scratch/quickstart")" -eq $((4 - $1)) ]
  grep -qxF "== the server counted in this run: $1 login(s)" "$scratch/quickstart"
}

# With credentials of one's own it starts no server and goes where TPS_BASE_URL says.
elsewhere() {
  TPS_USERNAME=hari@example.com TPS_PASSWORD=welcome TPS_ORGANIZATION_ID=zq7m3x TPS_BASE_URL=$TPS_TEST_SERVER \
    examples/quickstart.sh >"$scratch/quickstart"
  cat "$scratch/quickstart"
  [ "$(grep -c 'server' "$scratch/quickstart")" -eq 0 ]
  curl -sS "$TPS_TEST_SERVER/_test/organizations/zq7m3x/" | grep -q '"logins":1,'
}

echo "== quickstart"
rm -rf target/quickstart
check "four languages, one login in all" quickstart 1
check "and none in the second run" quickstart 0
check "with credentials from the environment" elsewhere

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
