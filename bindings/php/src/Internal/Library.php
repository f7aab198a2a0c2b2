<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\LibraryException;

/**
 * Where the library is.
 *
 * @internal
 */
final class Library
{
    /** The oldest version that has all that this package uses. */
    public const NEEDED = '0.2.0';

    /** The system's own, for the loader to find. */
    public const SYSTEM = 'libtps.so.0';

    /** The name under which ffi.preload makes the library known. */
    public const SCOPE = 'TPS';

    private function __construct(public readonly string $file)
    {
    }

    /**
     * The file named by TPS_LIBRARY, else the first of places() that exists, else the system's. With open_basedir PHP warns
     * at each look elsewhere: to no use, the exception tells.
     */
    public static function find(): self
    {
        $chosen = Arguments::environment('TPS_LIBRARY');
        if ($chosen !== null) {
            return new self(@realpath($chosen) ?: throw new LibraryException(Diagnosis::wrongChoice($chosen)));
        }
        foreach (self::places() as $place) {
            $file = @realpath($place);
            if ($file !== false) {
                return new self($file);
            }
        }

        return new self(self::SYSTEM);
    }

    /** The one of a path. */
    public static function at(string $file): self
    {
        return new self($file);
    }

    /**
     * @return list<string> absolute paths in this package, the most likely first: one directory a platform
     */
    public static function places(): array
    {
        $machine = match (strtolower(php_uname('m'))) {
            'amd64', 'x86_64' => 'x86_64',
            'aarch64', 'arm64' => 'aarch64',
            default => php_uname('m'),
        };
        $libraries = array_map(
            static fn (string $system): string => dirname(__DIR__, 2) . "/lib/$machine-linux-$system/libtps.so",
            ['gnu', 'musl'],
        );

        // Only where the package has both does it matter which C library this PHP has.
        return @is_file($libraries[1]) && Platform::isMusl() ? array_reverse($libraries) : $libraries;
    }

    /**
     * The declarations as ffi.preload takes them: only there does PHP read such lines, and only as the first bytes.
     */
    public function preloadHeader(): string
    {
        return '#define FFI_SCOPE "' . self::SCOPE . "\"\n#define FFI_LIB \"$this->file\"\n" . Declarations::C . "\n";
    }
}
