<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\InternalException;
use TPS\Exception\LibraryException;
use TPS\Exception\TpsException;

/**
 * The C interface of libtps. The only file that knows PHP's FFI.
 *
 * What it passes must be free of NUL bytes: FFI would end a string there without a word.
 *
 * @internal
 */
final class Native
{
    private static ?self $instance = null;

    private function __construct(private readonly \FFI $ffi)
    {
    }

    /**
     * The library, loaded once per request. What it remembers outlives the request.
     */
    public static function instance(): self
    {
        return self::$instance ??= new self(self::load());
    }

    public function open(
        #[\SensitiveParameter] string $username,
        #[\SensitiveParameter] string $password,
        string $organizationId,
        #[\SensitiveParameter] string $options,
    ): Handle {
        $error = $this->ffi->new('tps_error *');
        $client = $this->ffi->tps_login($username, $password, $organizationId, $options, \FFI::addr($error));

        return $client === null ? throw $this->failure($error) : new Handle($this, $client);
    }

    /**
     * @return int 0: no token is at hand. Unsigned in the library: it may be negative here.
     */
    public function generation(Handle $handle): int
    {
        return $this->ffi->tps_generation($handle->pointer);
    }

    public function token(Handle $handle): string
    {
        $error = $this->ffi->new('tps_error *');

        return $this->text($this->ffi->tps_token($handle->pointer, \FFI::addr($error)), $error);
    }

    public function invalidate(Handle $handle, #[\SensitiveParameter] string $token): void
    {
        $error = $this->ffi->new('tps_error *');
        if ($this->ffi->tps_invalidate($handle->pointer, $token, \FFI::addr($error)) < 0) {
            throw $this->failure($error);
        }
    }

    public function logout(Handle $handle): void
    {
        $error = $this->ffi->new('tps_error *');
        if ($this->ffi->tps_logout($handle->pointer, \FFI::addr($error)) < 0) {
            throw $this->failure($error);
        }
    }

    /**
     * @return string JSON
     */
    public function stats(Handle $handle): string
    {
        $error = $this->ffi->new('tps_error *');

        return $this->text($this->ffi->tps_stats($handle->pointer, \FFI::addr($error)), $error);
    }

    /**
     * @param object $pointer what the library handed out; not a string, which FFI would pass as well
     */
    public function free(object $pointer): void
    {
        $this->ffi->tps_free($pointer);
    }

    private function text(?object $string, \FFI\CData $error): string
    {
        if ($string === null) {
            throw $this->failure($error);
        }
        try {
            return \FFI::string($string);
        } finally {
            $this->free($string);
        }
    }

    private function failure(\FFI\CData $error): TpsException
    {
        // To read from a NULL would end the process.
        if (\FFI::isNull($error)) {
            return new InternalException('the library reports a failure and no reason');
        }
        try {
            return Failure::exception($error->status, $error->message, $error->http_status, $error->retry_after_ms);
        } finally {
            $this->free($error);
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
