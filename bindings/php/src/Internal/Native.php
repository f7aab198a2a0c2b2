<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\InternalException;
use TPS\Exception\LibraryException;
use TPS\Exception\TpsException;

/**
 * One client of libtps, by its C interface: owned here, and given back exactly once. The only file that knows PHP's FFI.
 *
 * exit() and fatal errors run no destructor. That is harmless: the library counts its clients and hands out the same one
 * for the same credentials. What is passed must be free of NUL bytes: FFI would end a string there without a word.
 *
 * @internal
 */
final class Native
{
    /** The library, loaded once per request. What it remembers outlives the request. */
    private static ?\FFI $library = null;

    /**
     * @param \FFI   $ffi     kept here too, so that it outlives the client
     * @param object $pointer a tps_client *
     */
    private function __construct(private readonly \FFI $ffi, private readonly object $pointer)
    {
    }

    /**
     * @throws LibraryException if it cannot be loaded
     */
    public static function library(): \FFI
    {
        return self::$library ??= self::load();
    }

    public static function open(
        #[\SensitiveParameter] string $username,
        #[\SensitiveParameter] string $password,
        string $organizationId,
        #[\SensitiveParameter] string $options,
    ): self {
        $ffi = self::library();
        $error = $ffi->new('tps_error *');
        $client = $ffi->tps_login($username, $password, $organizationId, $options, \FFI::addr($error));

        return $client === null ? throw self::failure($ffi, $error) : new self($ffi, $client);
    }

    public function __destruct()
    {
        $this->ffi->tps_free($this->pointer);
    }

    private function __clone()
    {
    }

    /**
     * @return int 0: no token is at hand. Unsigned in the library: it may be negative here.
     */
    public function generation(): int
    {
        return $this->ffi->tps_generation($this->pointer);
    }

    public function token(): string
    {
        $error = $this->ffi->new('tps_error *');

        return $this->text($this->ffi->tps_token($this->pointer, \FFI::addr($error)), $error);
    }

    public function invalidate(#[\SensitiveParameter] string $token): void
    {
        $error = $this->ffi->new('tps_error *');
        if ($this->ffi->tps_invalidate($this->pointer, $token, \FFI::addr($error)) < 0) {
            throw self::failure($this->ffi, $error);
        }
    }

    public function logout(): void
    {
        $error = $this->ffi->new('tps_error *');
        if ($this->ffi->tps_logout($this->pointer, \FFI::addr($error)) < 0) {
            throw self::failure($this->ffi, $error);
        }
    }

    /**
     * @return string JSON
     */
    public function stats(): string
    {
        $error = $this->ffi->new('tps_error *');

        return $this->text($this->ffi->tps_stats($this->pointer, \FFI::addr($error)), $error);
    }

    private function text(?object $string, \FFI\CData $error): string
    {
        if ($string === null) {
            throw self::failure($this->ffi, $error);
        }
        try {
            return \FFI::string($string);
        } finally {
            $this->ffi->tps_free($string);
        }
    }

    private static function failure(\FFI $ffi, \FFI\CData $error): TpsException
    {
        // To read from a NULL would end the process.
        if (\FFI::isNull($error)) {
            return new InternalException('the library reports a failure and no reason');
        }
        try {
            return Failure::exception($error->status, $error->message, $error->http_status, $error->retry_after_ms);
        } finally {
            $ffi->tps_free($error);
        }
    }

    private static function load(): \FFI
    {
        if (!extension_loaded('ffi')) {
            throw new LibraryException(Diagnosis::extensionMissing());
        }
        if (!method_exists(\FFI::class, 'cdef')) {
            throw new LibraryException(Diagnosis::classDisabled());
        }
        try {
            return self::preloaded();
        } catch (\FFI\Exception $exception) {
            // An Error to PHP. Either FFI is not allowed here, or nothing was preloaded, which is the usual case.
            if (str_contains($exception->getMessage(), 'ffi.enable')) {
                throw new LibraryException(Diagnosis::switchedOff());
            }
        }

        return self::fromFile(Library::find());
    }

    private static function preloaded(): \FFI
    {
        $ffi = \FFI::scope(Library::SCOPE);
        $version = $ffi->tps_version();
        if (version_compare($version, Library::NEEDED, '<')) {
            throw new LibraryException(Diagnosis::preloadedTooOld($version));
        }

        return $ffi;
    }

    private static function fromFile(Library $library): \FFI
    {
        $version = self::version($library);
        if (version_compare($version, Library::NEEDED, '<')) {
            throw new LibraryException(Diagnosis::tooOld($library, $version));
        }
        try {
            return \FFI::cdef($library->declarations(), $library->file);
        } catch (\FFI\Exception $exception) {
            throw new LibraryException(Diagnosis::mismatch($library, $version, $exception->getMessage()));
        }
    }

    /**
     * Asked first and by itself, since a library that is too old may lack what the header declares.
     */
    private static function version(Library $library): string
    {
        $declaration = 'const char *tps_version(void);';
        try {
            return \FFI::cdef($declaration, $library->file)->tps_version();
        } catch (\FFI\Exception $exception) {
            throw new LibraryException(Diagnosis::notLoaded($library, self::reason($declaration, $library->file)
                ?? $exception->getMessage()));
        }
    }

    /**
     * PHP 8.2 keeps the loader's reason to itself: this fails once more, and asks the loader.
     */
    private static function reason(string $declaration, string $file): ?string
    {
        $loader = \FFI::cdef('const char *dlerror(void);');
        try {
            \FFI::cdef($declaration, $file);
        } catch (\FFI\Exception) {
            return $loader->dlerror();
        }

        return null;
    }
}
