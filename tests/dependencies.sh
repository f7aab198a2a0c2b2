#!/usr/bin/env bash
# dependencies.sh [--install]: cargo-deny and cargo-machete look at what libtps depends on. Where a tool is missing, its test is
# skipped; --install builds both into target/tools first, which takes some ten minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$PWD/target/tools
PATH=$tools/bin:$PATH
if [ "${1:-}" = --install ]; then
  for tool in cargo-deny@0.20.2 cargo-machete@0.9.2; do
    cargo install "$tool" --locked --quiet --root "$tools" --target-dir "$tools/target"
  done
  rm -rf "$tools/target"
fi

# shellcheck source=tests/check.sh
. tests/check.sh
trap 'rm -rf "$scratch"' EXIT
skip() { echo "# skipped: $1"; }

# The database of advisories is a Git repository, which may be out of reach.
advisories() {
  if cargo deny fetch db >"$scratch/fetch" 2>&1; then
    check "no advisory about a dependency" cargo deny --locked check advisories
  else
    skip "advisories: the database cannot be fetched"
  fi
}

check "licences, versions and names of dependencies" python3 tests/dependencies.py
if command -v cargo-deny >/dev/null; then
  check "cargo deny: licences, duplicates, sources" cargo deny --locked --offline check licenses bans sources
  advisories
else
  skip "cargo-deny is missing: tests/dependencies.sh --install"
fi
if command -v cargo-machete >/dev/null; then
  check "cargo machete: no dependency is unused" cargo machete
else
  skip "cargo-machete is missing: tests/dependencies.sh --install"
fi
[ "$failed" -eq 0 ]
