#!/usr/bin/env bash
# with-servers.sh COMMAND...: runs a test with the test servers, which stop when it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PYTHONDONTWRITEBYTECODE=1
# shellcheck source=tests/packages.sh
. tests/packages.sh
need curl openssl python3 python3-venv
scratch=$(mktemp -d)
# shellcheck source=tests/servers.sh
. tests/servers.sh
start_test_servers
"$@"
