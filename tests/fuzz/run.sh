#!/usr/bin/env bash
# run.sh SECONDS [TARGET...]: feeds the targets of targets.rs, guided by coverage, for so long each. Needs cargo-fuzz; stable
# Rust does. What makes a target fail is kept in tests/fuzz/artifacts, what was of use in target/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:?how many seconds for each target?}
shift
command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }
targets=("$@")
[ $# -gt 0 ] || for corpus in tests/fuzz/corpus/*; do targets+=("${corpus##*/}"); done
for target in "${targets[@]}"; do
  mkdir -p "target/fuzz/$target"
  echo "== $target"
  # Without a sanitizer: there is no unsafe code here. libFuzzer's own instrumentation is what counts.
  cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none "$target" "target/fuzz/$target" "tests/fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -timeout=10 -max_len=4096 -verbosity=0 -print_final_stats=1
done
