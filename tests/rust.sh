#!/usr/bin/env bash
# rust.sh [CARGO'S ARGUMENT...] [-- ARGUMENT...]: cargo's tests, several programs at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
which=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  which+=("$1")
  shift
done
[ $# -eq 0 ] || shift
# Most tests wait for something, and so need more threads than there are cores.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-4}

programs=$(cargo test --locked --quiet --features command --no-run --message-format=json "${which[@]}" | python3 -c '
import json, sys
for line in sys.stdin:
    built = json.loads(line) if line.startswith("{") else {}
    if built.get("executable") and built["profile"]["test"]:
        print(built["executable"])')
status=0
tests/parallel.sh {} --quiet "$@" <<<"$programs" || status=1
# Those of the documentation.
[ ${#which[@]} -gt 0 ] || cargo test --locked --quiet --features command --doc || status=1
exit "$status"
