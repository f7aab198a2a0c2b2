<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\LibraryException;

/**
 * Where the library and its header are.
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

    private const HEADER = 'tps_ffi.h';

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
            if (@is_file($place)) {
                return new self(realpath($place));
            }
        }

        return new self(self::SYSTEM);
    }

    /**
     * @return list<string> absolute paths: shipped with this package, then the build tree of its repository
     */
    public static function places(): array
    {
        return [
            self::package() . '/lib/libtps.so',
            self::repository() . '/target/release/libtps.so',
            self::repository() . '/target/debug/libtps.so',
        ];
    }

    /**
     * The C declarations, in the flavour that PHP's parser takes.
     */
    public function declarations(): string
    {
        return file_get_contents($this->header());
    }

    /**
     * The declarations as ffi.preload takes them: only there does PHP read such lines, and only as the first bytes.
     */
    public function preloadHeader(): string
    {
        return "#define FFI_SCOPE \"" . self::SCOPE . "\"\n#define FFI_LIB \"$this->file\"\n" . $this->declarations();
    }

    /**
     * The one beside the library, else the one of this package, else that of its repository.
     */
    public function header(): string
    {
        $places = [self::package() . '/lib/' . self::HEADER, self::repository() . '/include/' . self::HEADER];
        if ($this->file !== self::SYSTEM) {
            array_unshift($places, dirname($this->file) . '/' . self::HEADER);
        }
        foreach ($places as $place) {
            if (@is_readable($place)) {
                return $place;
            }
        }
        throw new LibraryException(Diagnosis::noHeader($places));
    }

    private static function package(): string
    {
        return dirname(__DIR__, 2);
    }

    private static function repository(): string
    {
        return dirname(__DIR__, 4);
    }
}
