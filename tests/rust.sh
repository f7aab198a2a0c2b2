#!/usr/bin/env bash
# rust.sh [CARGO'S ARGUMENT...] [-- ARGUMENT...]: cargo's tests, three programs at a time: most of them wait for something, and so
# need more threads than there are cores. Prints what each has printed when it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
which=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  which+=("$1")
  shift
done
[ $# -eq 0 ] || shift
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-4}
outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT

cargo test --locked --quiet --features command --no-run --message-format=json "${which[@]}" >"$outputs/build"
python3 - "$outputs/build" >"$outputs/programs" <<'P'
import json, sys
for line in open(sys.argv[1]):
    built = json.loads(line) if line.startswith("{") else {}
    if built.get("executable") and built["profile"]["test"]:
        print(built["executable"])
P

# run PROGRAM [ARGUMENT...], as xargs calls it.
# shellcheck disable=SC2317
run() {
  local status=0
  "$1" --quiet "${@:2}" >"$outputs/${1##*/}" 2>&1 || status=$?
  cat "$outputs/${1##*/}"
  return "$status"
}
export outputs
export -f run
status=0
xargs -P 3 -I {} bash -c 'run "$@"' run {} "$@" <"$outputs/programs" || status=1
# Those of the documentation.
[ ${#which[@]} -gt 0 ] || cargo test --locked --quiet --features command --doc || status=1
exit "$status"
