<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * Says in one line why the library could not be loaded, and what to type.
 *
 * @internal
 */
final class Diagnosis
{
    private const REMEDY = 'Install the package tps/tps anew, which has the libraries of all platforms, or set TPS_LIBRARY to a '
        . 'libtps.so that fits (`cargo build --release` in the repository of libtps makes one).';

    /** What the loader says, and what that means. */
    private const MEANINGS = [
        '/libgcc_s/' => 'libgcc_s is missing: `apt install libgcc-s1`, or `apk add libgcc`.',
        '/libc\.musl|ld-musl|\blibc\.so: /' => 'it was built for musl (Alpine), this system has another C library. ' . self::REMEDY,
        "/GLIBC_\\S+' not found|libc\\.so\\.6|ld-linux|Error relocating/" =>
            'it was built for another or a newer C library than this system has. ' . self::REMEDY,
        '/Permission denied/' => 'this user may not read it: `chmod a+r` it, and `chmod a+x` the directories above it.',
        '/failed to map segment|Operation not permitted/' =>
            'nothing may be executed there: the file system is mounted noexec, or a security policy forbids it. '
            . 'Put the library elsewhere.',
        '/undefined symbol|Symbol not found|Failed resolving C function/' => 'it is another library, not libtps. ' . self::REMEDY,
    ];

    public static function otherPlatform(): string
    {
        return sprintf(
            'libtps is for Linux on x86-64 and arm64 (64 bits); this PHP runs on %s %s, %d bits. Run it in a container or a '
                . 'virtual machine with Linux, or use TPS\Testing\Fake::install() for tests here.',
            PHP_OS_FAMILY,
            php_uname('m'),
            8 * PHP_INT_SIZE,
        );
    }

    public static function extensionMissing(): string
    {
        return sprintf(
            "PHP's extension FFI is missing (PHP %s, SAPI %s). Debian and Ubuntu have it in php%d.%d-common: "
                . "`phpenmod ffi`; Docker's php images: `docker-php-ext-install ffi`, with libffi-dev; elsewhere: "
                . 'extension=ffi in php.ini.',
            PHP_VERSION,
            PHP_SAPI,
            PHP_MAJOR_VERSION,
            PHP_MINOR_VERSION,
        );
    }

    public static function classDisabled(): string
    {
        return "PHP's class FFI is disabled: take FFI out of disable_classes=" . ini_get('disable_classes') . ' in '
            . (php_ini_loaded_file() ?: 'php.ini') . ' and restart PHP.';
    }

    public static function switchedOff(): string
    {
        $remedy = match (PHP_SAPI) {
            'cli', 'phpdbg', 'embed' => 'Start PHP with `php -d ffi.enable=1 …`, or write ffi.enable=1 into its '
                . 'php.ini (`php --ini` shows which).',
            'cli-server' => 'Start the server with `php -d ffi.enable=1 -S …`.',
            'fpm-fcgi' => self::fpm(),
            'apache2handler' => 'Write `php_admin_value ffi.enable 1` into the virtual host (not into .htaccess), or `ffi.enable=1` '
                . 'into ' . (php_ini_loaded_file() ?: 'php.ini') . ', and restart Apache.',
            default => 'Write ffi.enable=1 into the php.ini of this SAPI (phpinfo() shows which) and restart it.',
        };

        return sprintf(
            "PHP's FFI is switched off here (SAPI %s, ffi.enable=%s). %s",
            PHP_SAPI,
            ini_get('ffi.enable') ?: '0',
            $remedy,
        );
    }

    /** What PHP means FPM to do comes first, then the way without preloading. */
    private static function fpm(): string
    {
        $file = dirname(__DIR__, 2) . '/preload.php';
        $lines = ini_get('ffi.enable') === 'preload' ? [] : ['`ffi.enable=preload`'];
        if (!self::preloads()) {
            if (!ini_get('opcache.enable')) {
                $lines[] = extension_loaded('Zend OPcache') ? '`opcache.enable=1`' : '`zend_extension=opcache`';
            }
            $lines[] = "`opcache.preload=$file`";
            $lines[] = '`opcache.preload_user=' . (Arguments::environment('USER') ?? 'www-data') . '`';
        }
        $preloading = $lines === []
            ? ini_get('opcache.preload') . " is preloaded, but not this package: add `require '$file';` to that file"
            : 'Write ' . implode(', ', $lines) . ' into ' . (php_ini_loaded_file() ?: 'php.ini') . ', not into a pool,';

        return sprintf(
            '%s and restart FPM. Or, without preloading, write `php_admin_value[ffi.enable] = 1` into the pool '
                . '(on Debian a file in /etc/php/%d.%d/fpm/pool.d/) and restart FPM.',
            $preloading,
            PHP_MAJOR_VERSION,
            PHP_MINOR_VERSION,
        );
    }

    /** The setting alone does not tell: in a pool it comes too late, and without opcache.enable it does nothing. */
    private static function preloads(): bool
    {
        $status = function_exists('opcache_get_status') ? @opcache_get_status(false) : false;

        return isset($status['preload_statistics']);
    }

    public static function wrongChoice(string $chosen): string
    {
        return "TPS_LIBRARY names $chosen, which PHP does not see" . self::basedir()
            . '. Correct it, or unset it: libtps is searched for.';
    }

    private static function basedir(): string
    {
        $basedir = ini_get('open_basedir');

        return $basedir === '' ? '' : " with open_basedir=$basedir";
    }

    public static function tooOld(Library $library, string $version): string
    {
        return "libtps in $library->file is too old: $version, need " . Library::NEEDED . '. ' . self::REMEDY;
    }

    public static function preloadedTooOld(string $version): string
    {
        return 'the libtps that ffi.preload=' . ini_get('ffi.preload') . " loads is too old: $version, need " . Library::NEEDED
            . '. ' . self::preloadAnew();
    }

    public static function preloadedHeaderTooOld(): string
    {
        return 'the header ffi.preload=' . ini_get('ffi.preload') . ' is of an older package: it has no ' . Declarations::NEWEST
            . '. ' . self::preloadAnew();
    }

    private static function preloadAnew(): string
    {
        return 'Write that directory anew, `' . dirname(__DIR__, 2) . '/bin/tps-preload '
            . dirname((string) ini_get('ffi.preload')) . '`, and restart FPM.';
    }

    /**
     * @param string $reason PHP's
     */
    public static function mismatch(Library $library, string $version, string $reason): string
    {
        return "libtps $version in $library->file has not all that this package needs: $reason. " . self::REMEDY;
    }

    /**
     * @param string $reason the loader's, or PHP's
     */
    public static function notLoaded(Library $library, string $reason): string
    {
        $file = $library->file;
        if ($file === Library::SYSTEM) {
            return 'libtps is not found: PHP sees neither ' . implode(' nor ', Library::places()) . self::basedir()
                . ", and the system's loader says: $reason. " . self::REMEDY;
        }
        $origin = Arguments::environment('TPS_LIBRARY') === null ? '' : ' (TPS_LIBRARY)';

        return "libtps cannot be loaded from $file$origin: $reason; "
            . (self::foreign($file) ?? self::meaning($reason));
    }

    /** The loader's own words do not name platforms: for another architecture they are "No such file". */
    private static function foreign(string $file): ?string
    {
        $theirs = Platform::of($file);
        $ours = Platform::ofThisPhp();
        if ($theirs === null || $ours === null || Platform::fit($theirs, $ours)) {
            return null;
        }

        return "it was built for $theirs, this PHP for $ours. " . self::REMEDY;
    }

    private static function meaning(string $reason): string
    {
        foreach (self::MEANINGS as $pattern => $meaning) {
            if (preg_match($pattern, $reason) === 1) {
                return $meaning;
            }
        }

        return self::REMEDY;
    }
}
