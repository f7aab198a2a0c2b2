# shellcheck shell=bash
# Sourced by the set-up commands: what a machine must have. Debian's packages are installed where they are missing.

# need_space GB FOLDER: so much is free there. What an earlier run left in its target/ counts: it is written over.
need_space() {
  local free left=0
  free=$(df --output=avail -k "$2" | tail -n 1)
  if [ -d "$2/target" ]; then left=$(du -sk "$2/target" | cut -f 1); fi
  if [ $(((free + left) / 1000000)) -lt "$1" ]; then
    echo "$1 GB of disk space are needed below $(realpath "$2"), and $((free / 1000000)) GB are free" >&2
    return 1
  fi
}

# need PACKAGE...: all of them are installed when it returns; otherwise it says what to type and fails. Nothing is removed.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ "${#missing[@]}" -eq 0 ] && return 0
  local apt=(apt-get)
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
      apt=(sudo -n apt-get)
    else
      echo "missing packages; type: apt-get install --no-install-recommends ${missing[*]}" >&2
      return 1
    fi
  fi
  echo "installing ${missing[*]}" >&2
  local log
  log=$(mktemp)
  # What the packages' own scripts say is of interest only when something went wrong.
  if ! { "${apt[@]}" -qq update &&
    DEBIAN_FRONTEND=noninteractive "${apt[@]}" -qq install -y --no-remove --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# use PACKAGE...: the same for those that this release of Debian has. Tests that need another one say that they are skipped.
use() {
  local package had=()
  for package in "$@"; do
    # Others may name a package that is not there.
    if grep -q 'Candidate: [^(]' <<<"$(LC_ALL=C apt-cache policy "$package" 2>/dev/null)"; then had+=("$package"); fi
  done
  [ "${#had[@]}" -eq 0 ] || need "${had[@]}"
}

# need_rust: a cargo that is new enough; where there is none, Debian's own.
need_rust() {
  local wanted has
  command -v cargo >/dev/null || need rustc-web cargo-web
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  has=$(cargo --version | awk '{print $2}')
  if ! printf '%s\n' "$wanted" "$has" | sort -VC; then
    echo "cargo $has is too old, $wanted is needed. Type: rustup update, or apt-get install rustc-web cargo-web" >&2
    return 1
  fi
}
