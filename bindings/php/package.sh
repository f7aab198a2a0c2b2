#!/usr/bin/env bash
# package.sh DIRECTORY: writes the Composer package there, with the library for this platform inside, and prints its name.
# The same commit, the same archive, as far as cargo builds the same library.
set -euo pipefail
package=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$package/../.." && pwd)
directory=$(cd "${1:?where to?}" && pwd)
umask 022

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT

cd "$repository"
cargo build --release --locked --quiet
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
platform=$(rustc -vV | sed -n 's/^host: //p')
archive=$directory/tps-tps-$version-${platform/-unknown/}.zip

# What git knows alone: nothing that lies about, and no tests.
git -C "$package" ls-files -z README.md autoload.php preload.php bin src |
  xargs -0 tar -C "$package" -c | tar -C "$staging" -x --no-same-permissions
mkdir "$staging/lib"
cp LICENSE-MIT LICENSE-APACHE "$staging"
cp "${CARGO_TARGET_DIR:-target}/release/libtps.so" include/tps_ffi.h "$staging/lib"
chmod 0644 "$staging/lib/libtps.so"
# Composer takes the version from there, since an archive has no tag.
# shellcheck disable=SC2016 # PHP's variables
php -r '$package = json_decode(file_get_contents($argv[1]), true, flags: JSON_THROW_ON_ERROR);
    unset($package["autoload-dev"]);
    $flags = JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES;
    echo json_encode(["name" => $package["name"], "version" => $argv[2]] + $package, $flags), "\n";' \
  "$package/composer.json" "$version" >"$staging/composer.json"

cd "$staging"
find . -exec touch --no-dereference --date "@$(git -C "$repository" log -1 --format=%ct)" {} +
rm -f "$archive"
find . -type f -printf '%P\n' | LC_ALL=C sort | TZ=UTC zip -q -X -D -@ "$archive"
echo "$archive"
