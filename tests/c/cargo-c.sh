#!/usr/bin/env bash
# Builds cargo-c into target/tools, where it stays for the next run. Without optimization, which would take longer than all that it
# does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tools=$PWD/target/tools
mkdir -p "$tools"
# One at a time: tests/run.sh builds it beside other tests.
exec 9>"$tools/lock"
flock 9
[ ! -x "$tools/bin/cargo-cinstall" ] || exit 0
CARGO_PROFILE_DEV_DEBUG=none CARGO_PROFILE_DEV_STRIP=symbols cargo install cargo-c --version 0.10.24+cargo-0.98.0 \
  --locked --debug --quiet --root "$tools" --target-dir "$tools/target"
rm -rf "$tools/target"
