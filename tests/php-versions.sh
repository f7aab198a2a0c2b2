#!/usr/bin/env bash
# Loads every class of the PHP package by each PHP that it is for: a warning, a deprecation or a fatal error fails. Debian has one
# PHP; these are builds for Node.js, without FFI. Needs Node.js 20 and npm, and some 500 MB below target/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/packages.sh
. tests/packages.sh
need php-guzzlehttp-guzzle php-psr-http-client php-psr-log php-illuminate-http php-symfony-http-client php-http-httplug
passed=0 failed=0

# Each start of such a build leaves folders in the temporary one.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

builds=$PWD/target/php-versions
if ! [ -e "$builds/stamp" ]; then
  rm -rf "$builds"
  mkdir -p "$builds"
  npm install --prefix "$builds" --no-audit --no-fund --ignore-scripts --silent @php-wasm/cli@3.1.56 </dev/null
  touch "$builds/stamp"
fi

cat >"$builds/load.php" <<'P'
<?php
// What others' packages do under a newer PHP is not looked at.
error_reporting(E_ALL);
$package = getcwd() . '/bindings/php';
$faults = [];
set_error_handler(static function (int $level, string $message, string $file, int $line) use (&$faults, $package): bool {
    if (str_starts_with($file, $package)) {
        $faults[] = "$file:$line: $message";
    }
    return true;
});
set_include_path('/usr/share/php');
foreach (['GuzzleHttp', 'Illuminate/Http', 'Symfony/Component/HttpClient', 'Http/Client'] as $other) {
    @include "$other/autoload.php";
}
require "$package/autoload.php";
$loaded = 0;
foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator("$package/src", FilesystemIterator::SKIP_DOTS)) as $file) {
    $code = file_get_contents($file->getPathname());
    token_get_all($code, TOKEN_PARSE);
    if (!preg_match('/^(?:final |abstract |readonly )*(class|interface|trait|enum) (\w+)/m', $code, $kind)
        || !preg_match('/^namespace (.+);/m', $code, $namespace)) {
        continue;
    }
    $name = "$namespace[1]\\$kind[2]";
    // Of a framework that is not there only the syntax is known.
    try {
        $loaded += (int) (class_exists($name) || interface_exists($name) || trait_exists($name) || enum_exists($name));
    } catch (Error $error) {
        if (!preg_match('/^(Class|Interface|Trait) "(?!TPS)/', $error->getMessage())) {
            $faults[] = $error->getMessage();
        }
    }
}
echo implode("\n", $faults), "\nPHP ", PHP_VERSION, ": $loaded classes, ", count($faults), " faults\n";
P

for version in 8.1 8.2 8.3 8.4 8.5; do
  said=$(TMPDIR=$scratch PHP=$version "$builds/node_modules/.bin/php-wasm-cli" "$builds/load.php" 2>&1 </dev/null || true)
  if [[ $said =~ "PHP $version."[0-9]+": "[3-9][0-9]" classes, 0 faults" ]]; then
    passed=$((passed + 1))
    echo "ok - $(tail -n 1 <<<"$said")"
  else
    failed=$((failed + 1))
    echo "not ok - PHP $version"
    tail -n 20 <<<"$said" | cut -c 1-300
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
