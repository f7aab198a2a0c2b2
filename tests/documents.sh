#!/usr/bin/env bash
# documents.sh [--tree SUITE] [--commands] [DOCUMENT...]: runs the commands and samples of the documents (none named: all) as a new user
# would, in a copy of the repository and against the test server. Only the API's address is the test server's. With --tree, all
# of that in a clean Debian of that suite (bookworm, trixie), which is made in target/; that needs root, and half an hour the
# first time. With --commands, all but the samples of Ruby, PHP and Python, which their own suites run.
#
# A block that cannot run has a comment in the line above it: `<!-- not run: WHY -->`, or `<!-- only in a clean Debian: WHY -->`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PYTHONDONTWRITEBYTECODE=1
# shellcheck source=tests/packages.sh
. tests/packages.sh

if [ "${1:-}" = --tree ]; then
  need mmdebstrap
  # shellcheck source=tests/tree.sh
  . tests/tree.sh
  directory=target/documents-$2
  if ! [ -e "$directory/made" ]; then
    rm -rf "$directory"
    mkdir -p target
    tree "$directory" "$2" --include=ca-certificates,git,python3
    mkdir "$directory/repository"
    touch "$directory/made"
  fi
  shift 2
  inside "$directory" env TPS_TEST_CLEAN=1 /repository/tests/documents.sh "$@"
  exit
fi
clean=${TPS_TEST_CLEAN:-} samples=yes
if [ "${1:-}" = --commands ]; then
  samples=
  shift
fi

need netbase build-essential pkg-config libcurl4-openssl-dev libjansson-dev curl git openssl python3 python3-venv redis-server apache2 \
  ruby ruby-ffi ruby-minitest ruby-faraday ruby-webmock ruby-sidekiq ruby-railties ruby-actionpack ruby-async \
  ruby-excon ruby-rest-client ruby-httparty ruby-http ruby-typhoeus \
  php-cli php-xml php-mbstring php-curl phpunit php-guzzlehttp-guzzle php-psr-http-client php-psr-log php-illuminate-http \
  php-illuminate-container php-phpoption php-vlucas-phpdotenv php-symfony-http-client php-http-httplug php-react-promise
need_rust

# shellcheck source=tests/check.sh
. tests/check.sh
# shellcheck source=tests/servers.sh
. tests/servers.sh

# The copy: a repository of its own, with the times of this one's files and directories, so that cargo finds what is built.
target=$PWD/target
[ -z "$clean" ] || target=/var/cache/libtps
copy=$scratch/libtps
mkdir -p "$target" "$copy"
safe=(git -c "safe.directory=$PWD")
"${safe[@]}" ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents --no-preserve=ownership -t "$copy" 2>"$scratch/missing" || true
find src tests benches -type d | while read -r directory; do
  [ ! -d "$copy/$directory" ] || touch -r "$directory" "$copy/$directory"
done
ln -s "$target" "$copy/target"
cd "$copy"
git init --quiet
git add --all
git -c user.name=copy -c user.email=copy@example.com commit --quiet --message copy

start_test_servers
redis-server --port 0 --unixsocket "$scratch/redis.socket" --save '' --dir "$scratch" >"$scratch/redis.log" &
servers+=("$!")
echo 'sentinel monitor main 127.0.0.1 6379 1' >"$scratch/sentinel.conf"
redis-server "$scratch/sentinel.conf" --sentinel --port 0 --unixsocket "$scratch/sentinel.socket" >"$scratch/sentinel.log" &
servers+=("$!")

# What a user has: a shell with his credentials, the library's place, and a project in PHP.
mkdir -p "$scratch/bin" "$scratch/project/vendor" "$scratch/blocks"
echo "<?php require '$copy/bindings/php/autoload.php';" >"$scratch/project/vendor/autoload.php"
printf '#!/bin/sh\nexec /usr/bin/redis-cli -s %s "$@"\n' "$scratch/redis.socket" >"$scratch/bin/redis-cli"
chmod +x "$scratch/bin/redis-cli"
echo fail >"$scratch/.curlrc"
export CURL_HOME=$scratch XDG_STATE_HOME=$scratch/state CARGO_INSTALL_ROOT=$scratch PATH=$scratch/bin:$PATH
export TPS_BASE_URL=$TPS_TEST_SERVER TPS_USERNAME=hari@example.com TPS_PASSWORD=welcome TPS_ORGANIZATION_ID=auhf2k

# Elsewhere than in a clean Debian the command is built as the tests have built it already.
if [ -z "$clean" ]; then
  cat >"$scratch/cargo.sh" <<'S'
cargo() { if [ "$1" = install ]; then command cargo "$@" --debug --locked; else command cargo "$@"; fi; }
S
  export BASH_ENV=$scratch/cargo.sh
fi

# commands FILE DOCUMENT: runs them, and compares what they print where the document shows it.
commands() {
  local place=$copy
  [[ $2 != bindings/php/* ]] || place=$scratch/project
  sed -i "s#https://app\.tpstreams\.com#$TPS_TEST_SERVER#g" "$1"
  (cd "$place" && bash -euo pipefail "$1") | tee "$scratch/printed"
  [ ! -e "$1.expected" ] || diff -B "$1.expected" "$scratch/printed"
}

# The C of a document, as a program. A fragment continues one that has a client and a token.
sample_of_c() {
  {
    printf '%s\n' '#include <stdio.h>' '#include <tps.h>' 'int main(void) {'
    grep -q tps_login "$1" || printf '%s\n' 'tps_error *error = NULL;' \
      'tps_client *client = tps_login("hari@example.com", "welcome", "auhf2k", NULL, &error);' \
      'char *token = tps_token(client, &error);'
    cat "$1"
    printf '%s\n' 'return error != NULL;' '}'
  } | sed "s#\"auhf2k\", NULL#\"auhf2k\", \"{\\\\\"base_url\\\\\": \\\\\"$TPS_TEST_SERVER\\\\\"}\"#" >"$scratch/sample.c"
  ln -sf libtps.so target/release/libtps.so.0
  cc -Wall -Wextra -Werror -Iinclude "$scratch/sample.c" -o "$scratch/sample" -Ltarget/release "-Wl,-rpath,$target/release" -ltps
  "$scratch/sample"
}

settings() {
  # shellcheck disable=SC2016 # PHP's variable
  php -r 'exit(parse_ini_file($argv[1], true, INI_SCANNER_RAW) ? 0 : 1);' "$1"
}

redis() {
  local answer
  answer=$(/usr/bin/redis-cli -s "$scratch/$1.socket" <"$2")
  echo "$answer"
  [ "$answer" = OK ]
}

apache() {
  {
    printf 'LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\nLoadModule env_module /usr/lib/apache2/modules/mod_env.so\n'
    printf 'ServerName localhost\nErrorLog /dev/stderr\n'
    cat "$1"
  } >"$scratch/apache.conf"
  /usr/sbin/apache2 -t -d "$scratch" -f "$scratch/apache.conf"
}

# wanted DOCUMENT: whether it was named, or none was.
named=("$@")
wanted() {
  [ "${#named[@]}" -eq 0 ] || [[ " ${named[*]} " == *" $1 "* ]]
}

not_run=0
while IFS=$'\t' read -r document line language file remark; do
  what="$document:$line"
  wanted "$document" || continue
  case $remark in
    "not run: "*)
      not_run=$((not_run + 1))
      echo "# $what: $remark"
      continue
      ;;
    "only in a clean Debian: "*)
      if [ -z "$clean" ]; then
        not_run=$((not_run + 1))
        echo "# $what: $remark"
        continue
      fi
      ;;
  esac
  case $language in
    sh | console) check "$what: $(head -n 1 "$file")" commands "$file" "$document" ;;
    c) check "$what: the C" sample_of_c "$file" ;;
    json) check "$what: the JSON" python3 -m json.tool "$file" ;;
    yaml) check "$what: the YAML" ruby -ryaml -e 'YAML.load_file(ARGV.fetch(0))' "$file" ;;
    ini) check "$what: the settings" settings "$file" ;;
    apache) check "$what: Apache's setting" apache "$file" ;;
    redis) check "$what: Redis' user" redis redis "$file" ;;
    redis-sentinel) check "$what: the Sentinels' user" redis sentinel "$file" ;;
    # Suites of their own run these, each block by itself and with what goes around it.
    ruby | php | python | text) ;;
    *) check "$what: a block says its language" false ;;
  esac
done < <(python3 tests/markdown.py "$scratch/blocks")

export TPS_LIBRARY=$copy/target/release/libtps.so
if [ -n "$samples" ] && { wanted README.md || wanted bindings/ruby/README.md; }; then
  check "the samples of Ruby" ruby -W0 -Ibindings/ruby/lib -Ibindings/ruby/test bindings/ruby/test/readme_test.rb
fi
if [ -n "$samples" ] && { wanted README.md || wanted bindings/php/README.md; }; then
  check "the samples of PHP" phpunit --configuration bindings/php --filter SnippetTest
fi
if [ -n "$samples" ] && { wanted README.md || wanted bindings/python/README.md; }; then
  check "the samples of Python" bindings/python/tests/run.sh -k test_readme
fi

echo
echo "$passed passed, $failed failed; $not_run blocks not run, for the reasons above"
[ "$failed" -eq 0 ]
