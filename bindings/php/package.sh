#!/usr/bin/env bash
# package.sh DIRECTORY [PLATFORM=LIBRARY...]: writes the Composer package there, with these libraries inside, and prints its
# name. Without any, it builds the one of this machine.
# TPS_LICENSES: a file with the licences of what the libraries contain.
# The same commit, the same archive, as far as cargo builds the same library.
set -euo pipefail
package=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$package/../.." && pwd)
directory=$(cd "${1:?where to?}" && pwd)
shift
umask 022

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT

cd "$repository"
if [[ $# == 0 ]]; then
  cargo build --release --locked --quiet
  platform=$(rustc -vV | sed -n 's/^host: //p')
  set -- "${platform/-unknown/}=${CARGO_TARGET_DIR:-target}/release/libtps.so"
fi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
archive=$directory/tps-tps-$version.zip

# What git knows alone: nothing that lies about, and no tests.
git -C "$package" ls-files -z README.md autoload.php preload.php version.php bin config src |
  xargs -0 tar -C "$package" -c | tar -C "$staging" -x --no-same-permissions
cp LICENSE-MIT LICENSE-APACHE "$staging"
[[ -z ${TPS_LICENSES:-} ]] || install -m 0644 "$TPS_LICENSES" "$staging/LICENSES-THIRD-PARTY.txt"
# Each library in a directory of its platform's name, such as x86_64-linux-gnu: the package chooses when it runs.
for library; do
  mkdir -p "$staging/lib/${library%%=*}"
  cp "${library#*=}" "$staging/lib/${library%%=*}/libtps.so"
  chmod 0644 "$staging/lib/${library%%=*}/libtps.so"
done
# Composer takes the version from there, since an archive has no tag.
python3 -c 'import json, sys
package = json.load(open(sys.argv[1]))
del package["autoload-dev"]
json.dump({"name": package["name"], "version": sys.argv[2]} | package, sys.stdout, indent=4)
print()' "$package/composer.json" "$version" >"$staging/composer.json"

cd "$staging"
find . -exec touch --no-dereference --date "@$(git -C "$repository" log -1 --format=%ct)" {} +
rm -f "$archive"
find . -type f -printf '%P\n' | LC_ALL=C sort | TZ=UTC zip -q -X -D -@ "$archive"
echo "$archive"
