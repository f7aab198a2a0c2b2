#!/usr/bin/env bash
# parallel.sh COMMAND...: runs it for each line of standard input, which stands for {} in it, three at a time: most tests wait for
# something. Prints what each has printed when it ends, and fails if one does.
set -euo pipefail
outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT
export outputs

# As xargs calls it.
# shellcheck disable=SC2317
run() {
  local status=0 output
  output=$(mktemp -p "$outputs")
  "$@" >"$output" 2>&1 </dev/null || status=$?
  cat "$output"
  return "$status"
}
export -f run
xargs -P 3 -I {} bash -c 'run "$@"' run "$@"
