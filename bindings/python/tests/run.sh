#!/usr/bin/env bash
# Builds the wheel, installs it into a virtual environment in target/python-venv beside what the tests need, and runs them.
# The arguments are pytest's. The servers are those of tests/run.sh in the repository's root, by TPS_TEST_SERVER and so on.
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$tests/../../.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
# Its programs name its place, and target may be a link from a copy of the repository.
venv=$(realpath -m target)/python-venv

wanted=$(python3 --version && cksum <"$tests/requirements.txt")
if [[ $(cat "$venv/stamp" 2>/dev/null) != "$wanted" ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$tests/requirements.txt"
  # Written last: an environment without it was interrupted, and is made anew.
  echo "$wanted" >"$venv/stamp"
fi

wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
bindings/python/package.sh "$wheels"
"$venv/bin/pip" install --quiet --no-index --no-deps --force-reinstall "$wheels"/*.whl
export TPS_TEST_PACKAGES=$wheels
# The tests name it where they want it.
unset TPS_LIBRARY
# Most of these tests wait for something: three at a time keep two cores busy.
"$venv/bin/python" -m pytest -q -n 3 --dist worksteal -p no:cacheprovider --rootdir "$tests" "$tests" "$@"
