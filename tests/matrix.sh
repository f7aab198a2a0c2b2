#!/usr/bin/env bash
# tests/matrix.sh DIRECTORY: installs what release/build.sh wrote there into other systems, offline and without Rust, uses it in
# C, Ruby, PHP and Python, and writes into README.md what was tested. Needs root; emulates arm64. Some 15 minutes.
#
# TPS_MATRIX_TREES: a directory for the systems; they are kept for the next run. Else target/matrix.
# TPS_RELEASE_TREE: the one of release/build.sh, whose compiler links static programs for musl. Else target/release-tree.
set -euo pipefail
release=$(cd "${1:?where are the files of the release?}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
# shellcheck source=tests/tree.sh
. tests/tree.sh
need mmdebstrap python3 openssl curl
# shellcheck source=tests/check.sh
. tests/check.sh
# shellcheck source=tests/servers.sh
. tests/servers.sh
trees=$(mkdir -p "${TPS_MATRIX_TREES:-target/matrix}" && cd "${TPS_MATRIX_TREES:-target/matrix}" && pwd)
builder=${TPS_RELEASE_TREE:-target/release-tree}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
export PYTHONDONTWRITEBYTECODE=1

c=gcc,libc6-dev,pkg-config,musl-tools,ca-certificates
bindings="php-cli,php-zip,ruby,ruby-ffi,composer,unzip,python3,python3-pip"
# system NAME SUITE OPTION...: its tree, if it is not there yet.
system() {
  if [ "$(cat "$trees/$1/made" 2>/dev/null)" = "${*:2}" ]; then return 0; fi
  echo "== making $1"
  rm -rf "${trees:?}/$1"
  tree "$trees/$1" "$2" "${@:3}"
  mkdir -p "$trees/$1/root"
  echo "${*:2}" >"$trees/$1/made"
}
system debian13 trixie --include="$c,$bindings,valkey-server,qemu-user"
system debian12 bookworm --include="$c,$bindings"
system debian11 bullseye --include="$c"
# Unpacked alone: what packages do when they are installed takes half an hour under emulation.
system debian13-arm64 trixie --architectures=arm64 --variant=extract \
  --include="base-files,dash,coreutils,grep,sed,$c,$bindings"

# Commands for the end, before the servers go.
ends=()
at_end() {
  local command
  for command in "${ends[@]}"; do eval "$command"; done
  finish
}
trap at_end EXIT

# The emulator is opened when it is told to the kernel, so no tree needs to have it.
emulation() {
  local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  local register=/proc/sys/fs/binfmt_misc
  [ -e "$register/register" ] || mount -t binfmt_misc binfmt_misc "$register"
  if inside "$trees/debian13-arm64" /usr/bin/true 2>/dev/null; then return 0; fi
  printf ':libtps-arm64:M::%s:%s:%s:OCF' "$magic" "$mask" "$trees/debian13/usr/bin/qemu-aarch64" >"$register/register"
  ends+=("echo -1 >$register/libtps-arm64")
}

tests/certificates.sh "$scratch"
start faults python3 tests/faults/server.py --certificate "$scratch"/{server,expired,self}.pem --tls-url-file "$scratch/tls.url"
faults=$url
read -r tls <"$scratch/tls.url"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
inside "$trees/debian13" valkey-server --port "$port" --bind 127.0.0.1 --save "" >"$scratch/valkey.log" 2>&1 &
ends+=("inside '$trees/debian13' valkey-cli -p $port shutdown nosave")
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done

# ask KEY CACHE [ARGUMENT...]: the token, by `program`, in the system `at`.
ask() {
  inside "$trees/$at" env "TPS_BASE_URL=${base:-$faults}/ok/$1" "TPS_CACHE=$2" TPS_USERNAME=hari@example.com TPS_PASSWORD=welcome \
    TPS_ORGANIZATION_ID=auhf2k "${environment[@]}" "${program[@]}" "${@:3}"
}
key() { python3 -c 'import secrets; print(secrets.token_hex(8))'; }
logins() { [ "$(curl -sS "$faults/_count/$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["logins"])')" -eq "$2" ]; }

# The life of a token, in five processes.
lives() {
  local key first
  key=$(key)
  first=$(ask "$key" "file:/root/store-$key")
  [[ $first =~ ^[0-9a-f]+$ ]]
  [ "$(ask "$key" "file:/root/store-$key")" = "$first" ]
  logins "$key" 1
  curl -sS -X POST -d '' "$faults/_revoke/$key"
  next=$(ask "$key" "file:/root/store-$key" replace)
  [[ $next =~ ^[0-9a-f]+$ ]] && [ "$next" != "$first" ]
  [ "$(ask "$key" "file:/root/store-$key")" = "$next" ]
  logins "$key" 2
}
by_redis() {
  local key first
  key=$(key)
  first=$(ask "$key" "redis://127.0.0.1:$port")
  [ "$(ask "$key" "redis://127.0.0.1:$port")" = "$first" ]
  logins "$key" 1
}
by_tls() {
  local key base=$tls
  key=$(key)
  if ask "$key" memory >"$scratch/refused"; then return 1; fi
  grep -i certificate "$scratch/refused"
  logins "$key" 0
  environment+=(SSL_CERT_FILE=/root/ca.pem)
  [[ $(ask "$key" memory) =~ ^[0-9a-f]+$ ]]
  logins "$key" 1
}
# wrong PLATFORM OURS: a library of another one is refused, with both names.
wrong() {
  environment+=("TPS_LIBRARY=/root/wrong/libtps.so")
  if ask "$(key)" memory >"$scratch/refused"; then return 1; fi
  grep -F "it was built for $1, this" "$scratch/refused" | grep -F " for $2. Install the "
}

rows=()
# row WHAT VERSION: a line of the table, by what the checks since the last one said.
row() {
  local result=passed
  [ "$failed" -eq "${before:-0}" ] || result="**failed**"
  before=$failed
  rows+=("| $system | $1 | $2 | $result |")
}

# c_programs PLATFORM CC...: the tarball in /usr/local, a program with the shared library, and one with the static one.
c_programs() {
  local platform=$1 name=libtps-$version-$1 shared static
  shift
  rm -rf "$trees/$at/opt/$name"
  mkdir -p "$trees/$at/opt"
  tar -C "$trees/$at/opt" --no-same-owner -xzf "$release/$name.tar.gz"
  local pc=(env "PKG_CONFIG_PATH=/opt/$name/lib/pkgconfig" pkg-config)
  read -ra shared < <(inside "$trees/$at" "${pc[@]}" --cflags --libs tps)
  read -ra static < <(inside "$trees/$at" "${pc[@]}" --static --cflags --libs tps)
  inside "$trees/$at" "$@" -Wall -Werror -o "/root/shared-$platform" /root/token.c "${shared[@]}" "-Wl,-rpath,/opt/$name/lib"
  case $platform in
    *-gnu) inside "$trees/$at" "$@" -Wall -Werror -o "/root/static-$platform" /root/token.c "${static[@]/-ltps/-l:libtps.a}" ;;
    *) static_by_zig "$platform" ;;
  esac
}
# static_by_zig PLATFORM: a program that needs nothing. It takes an unwinder, and Debian has one for glibc alone.
static_by_zig() {
  rm -rf "$builder/build/matrix"
  mkdir "$builder/build/matrix"
  cp "$trees/$at/opt/libtps-$version-$1/"{include/tps.h,lib/libtps.a} tests/matrix/token.c "$builder/build/matrix"
  inside "$builder" /build/python/bin/python -m ziglang cc -target "$1" -static -Wall -Werror -I/build/matrix -o /build/matrix/token \
    /build/matrix/token.c /build/matrix/libtps.a -lunwind
  cp "$builder/build/matrix/token" "$trees/$at/root/static-$1"
}
c() {
  local platform=$1 kind
  environment=()
  check "$system, $platform: C programs link" c_programs "$@"
  for kind in shared static; do
    program=("/root/$kind-$platform")
    check "$system, $platform, C, $kind: login, reuse, replacement" lives
    check "$system, $platform, C, $kind: Valkey" by_redis
    check "$system, $platform, C, $kind: TLS" by_tls
  done
}
command_tps() {
  [ "$(inside "$trees/$at" "/opt/libtps-$version-$1/bin/tps" --version)" = "tps $version" ]
}

gem_installs() {
  rm -rf "$trees/$at/root/gems"
  cp "$release/tps-$version-$1.gem" "$trees/$at/root/tps.gem"
  inside "$trees/$at" env GEM_HOME=/root/gems "${ruby[@]}" -S gem install --local --ignore-dependencies --no-document /root/tps.gem
}
composer_installs() {
  rm -rf "$trees/$at/root/project" "$trees/$at/root/archives"
  mkdir "$trees/$at/root/project" "$trees/$at/root/archives"
  cp "$release/tps-tps-$version.zip" "$trees/$at/root/archives"
  cat >"$trees/$at/root/project/composer.json" <<JSON
{"repositories": [{"type": "artifact", "url": "../archives"}, {"packagist.org": false}], "require": {"tps/tps": "$version"}}
JSON
  # One lock file for all systems: the first one's.
  if [ -e "$scratch/composer.lock" ]; then cp "$scratch/composer.lock" "$trees/$at/root/project"; fi
  inside "$trees/$at" env COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_DISABLE_NETWORK=1 "${composer[@]}" install --no-interaction --no-progress \
    --working-dir /root/project
  if [ -e "$scratch/composer.lock" ]; then
    cmp "$scratch/composer.lock" "$trees/$at/root/project/composer.lock"
  else
    cp "$trees/$at/root/project/composer.lock" "$scratch"
  fi
}
# The installer itself looks whether the wheel is for this platform.
wheel_installs() {
  local wheel
  wheel=$(basename "$release/tps-$version"-py3-none-manylinux_*_"${1%%-*}.whl")
  rm -rf "$trees/$at/root/site"
  cp "$release/$wheel" "$trees/$at/root"
  inside "$trees/$at" "${python[@]}" -m pip install --quiet --no-index --no-deps --target /root/site "/root/$wheel"
}
# bindings PLATFORM OTHER...: Ruby, PHP and Python; the libraries of OTHER platforms are refused.
bindings() {
  local platform=$1 other language
  shift
  for language in Ruby PHP Python; do
    environment=()
    case $language in
      Ruby)
        check "$system, $platform, Ruby: the gem installs" gem_installs "$platform"
        environment=("GEM_PATH=/root/gems:$(inside "$trees/$at" "${ruby[@]}" -e 'print Gem.path.join(":")')")
        program=("${ruby[@]}" /root/token.rb)
        ;;
      PHP)
        check "$system, $platform, PHP: Composer installs" composer_installs
        program=("${php[@]}" /root/token.php)
        ;;
      Python)
        check "$system, $platform, Python: the wheel installs" wheel_installs "$platform"
        environment=(PYTHONPATH=/root/site)
        program=("${python[@]}" /root/print_token.py)
        ;;
    esac
    check "$system, $platform, $language: login, reuse, replacement" lives
    check "$system, $platform, $language: Valkey" by_redis
    check "$system, $platform, $language: TLS" by_tls
    for other; do
      mkdir -p "$trees/$at/root/wrong"
      tar -C "$trees/$at/root/wrong" --strip-components 2 --transform 's/\.so\..*/.so/' -xzf "$release/libtps-$version-$other.tar.gz" \
        "libtps-$version-$other/lib/libtps.so.$version"
      check "$system, $platform, $language: the library of $other is refused by name" wrong "$other" "$platform"
    done
    case $language in
      Ruby) row "Ruby, the gem of $platform" "$(inside "$trees/$at" "${ruby[@]}" -e 'print RUBY_VERSION')" ;;
      PHP) row "PHP, Composer" "$(inside "$trees/$at" "${php[@]}" -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, ".", PHP_RELEASE_VERSION;')" ;;
      Python) row "Python, the wheel" "$(inside "$trees/$at" "${python[@]}" -c 'import platform; print(platform.python_version())')" ;;
    esac
  done
}

# at NAME: what follows is about this system.
at() {
  at=$1 before=$failed environment=()
  # Without what an earlier run left there.
  rm -rf "${trees:?}/$at/root"
  mkdir "$trees/$at/root"
  cp tests/matrix/* "$scratch/ca.pem" "$trees/$at/root"
  cp /etc/resolv.conf "$trees/$at/etc/" 2>/dev/null || true
  system="Debian $(cut -d. -f1 "$trees/$at/etc/debian_version"), $2"
}
# The C libraries tell their versions themselves.
glibc_version() { find "$trees/$at/usr/lib" "$trees/$at/lib" -name libc.so.6 -exec grep -aoEm 1 'release version [0-9.]*[0-9]' {} + | sed 's/.* //' | head -n 1; }
musl_version() { inside "$trees/$at" "/lib/ld-musl-$1.so.1" 2>&1 | sed -n 's/^Version //p'; }
both_c() {
  c "$1-linux-gnu" gcc
  check "$system: the command tps" command_tps "$1-linux-gnu"
  row "C, shared and static; the command \`tps\`" "glibc $(glibc_version)"
  c "$1-linux-musl" musl-gcc
  check "$system: the command tps of musl" command_tps "$1-linux-musl"
  row "C, shared and static; the command \`tps\`" "musl $(musl_version "$1")"
}

ruby=(ruby) php=(php) composer=(composer) python=(python3)
at debian13 x86-64
both_c x86_64
bindings x86_64-linux-gnu x86_64-linux-musl aarch64-linux-gnu
at debian12 x86-64
both_c x86_64
bindings x86_64-linux-gnu x86_64-linux-musl
at debian11 x86-64
both_c x86_64

emulation
at debian13-arm64 "arm64 (emulated)"
# Nothing was set up there: the programs by their full names, and PHP's extensions by hand.
named() { find "$trees/$at/usr/bin" -name "$1" -printf '/usr/bin/%f\n' | sort | head -n 1; }
ruby=("$(named 'ruby[0-9]*')")
php=("$(named 'php[0-9]*')" -n)
for extension in ffi phar ctype iconv tokenizer zip; do php+=(-d "extension=$extension"); done
composer=("${php[@]}" /usr/bin/composer)
python=("$(named 'python3.[0-9]*')")
both_c aarch64
bindings aarch64-linux-gnu aarch64-linux-musl x86_64-linux-gnu

# The table, between its markers.
{
  echo "| system | what | version | result |"
  echo "| --- | --- | --- | --- |"
  printf '%s\n' "${rows[@]}"
} >"$scratch/table"
python3 - "$scratch/table" <<'P'
import pathlib, re, sys
readme = pathlib.Path("README.md")
table = pathlib.Path(sys.argv[1]).read_text()
text, found = re.subn(r"(<!-- tested -->\n).*(<!-- /tested -->)", lambda it: it[1] + table + it[2], readme.read_text(), flags=re.DOTALL)
assert found == 1, "README.md has not its markers"
readme.write_text(text)
P
cat "$scratch/table"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
