#!/usr/bin/env bash
# package.sh DIRECTORY [PLATFORM=LIBRARY...]: writes the source archive tps-VERSION.tar.gz there, and a wheel for each of these
# libraries: tps-VERSION-py3-none-PLATFORM.whl, where PLATFORM is manylinux_2_28_x86_64, musllinux_1_2_aarch64 and so on.
# Without any, it builds the library of this machine. Prints their names.
# The same commit, the same archives, as far as cargo builds the same library.
set -euo pipefail
package=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "${1:?where to?}"
directory=$(cd "$1" && pwd)
shift
libraries=()
for library; do libraries+=("${library%%=*}=$(realpath "${library#*=}")"); done
cd "$package/../.."

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH PIP_DISABLE_PIP_VERSION_CHECK=1

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
# The modes are the package's, not those that this user's umask made.
umask 022
mkdir -p "$staging/source/library" "$staging/out"

# What git knows alone.
git -C "$package" ls-files -z README.md pyproject.toml build_library.py src | tar -C "$package" --null -T - -c | tar -C "$staging/source" -x
# A wheel of a release also has the licences of what is inside.
cp LICENSE-MIT LICENSE-APACHE ${TPS_LICENSES:+"$TPS_LICENSES"} "$staging/source"
# The manifest names the benchmark, so cargo insists on it.
git ls-files -z Cargo.toml Cargo.lock build.rs src include benches/parts.rs | tar --null -T - -c | tar -C "$staging/source/library" -x

python3 -m venv "$staging/venv"
"$staging/venv/bin/pip" install --quiet 'hatchling>=1.27,<2'

# build TARGET: its archive, below the name that hatchling gives it.
build() {
  (cd "$staging/source" && "$staging/venv/bin/python" -m hatchling build -t "$1" -d "$staging/out") >"$staging/log" 2>&1 ||
    { cat "$staging/log" >&2; return 1; }
}

build sdist
if [ "${#libraries[@]}" -eq 0 ]; then
  cargo build --release --locked --quiet
  TPS_WHEEL_LIBRARY=$(realpath "${CARGO_TARGET_DIR:-target}/release/libtps.so") build wheel
fi
for library in "${libraries[@]}"; do
  TPS_WHEEL_PLATFORM=${library%%=*} TPS_WHEEL_LIBRARY=${library#*=} build wheel
done
for archive in "$staging"/out/*; do
  install -m 0644 "$archive" "$directory"
  echo "$directory/$(basename "$archive")"
done
