# shellcheck shell=bash
# Sourced by the test scripts: one test each, told as `ok - WHAT` or `not ok - WHAT`.

scratch=$(mktemp -d)
passed=0 failed=0 skipped=0

# skip WHAT: a test that cannot be run here, and what it needs.
skip() {
  # shellcheck disable=SC2034 # for whoever sources this
  skipped=$((skipped + 1))
  echo "skipped - $1"
}

# check WHAT COMMAND...: the command's output is shown only when it fails. Any failing line of a function fails the test:
# the shell stands outside every condition here, since inside one it would go on after a failure.
check() {
  local what=$1 status
  shift
  set +e
  (
    set -e
    "$@"
  ) >"$scratch/output" 2>&1
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok - $what"
  else
    failed=$((failed + 1))
    echo "not ok - $what"
    sed 's/^/    /' "$scratch/output"
  fi
}
