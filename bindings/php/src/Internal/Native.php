<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\InternalException;
use TPS\Exception\LibraryException;
use TPS\Exception\TpsException;
use TPS\Exception\UsageException;
use TPS\Package;
use TPS\Status;

/**
 * One client of libtps, by its C interface: owned here, and given back exactly once. The only file that knows PHP's FFI.
 *
 * The FFI object lives in a local variable of a generator, where no other code reaches it, by reflection neither: with
 * ffi.enable=preload a page that had it could read and write any memory. What crosses are numbers and strings, and for each
 * client one number of the library's, by word().
 *
 * exit() and fatal errors run no destructor. That is harmless: the library counts its clients and hands out the same one
 * for the same credentials. What is passed must be free of NUL bytes: FFI would end a string there without a word.
 *
 * @internal
 */
final class Native implements Backend
{
    /**
     * Whether pages are kept from FFI. On the command line there is nothing to keep, and a signal handler may end an engine or
     * come with one of its own.
     */
    private const SEALED = PHP_SAPI !== 'cli';

    /** The library, loaded once per request. What it remembers outlives the request. */
    private static ?\Generator $engine = null;

    /**
     * What the engine is to do: a method of the library and its arguments. Not passed as an argument: a trace would show it.
     *
     * @var array{string, 1?: mixed, 2?: mixed, 3?: mixed, 4?: mixed}
     */
    private static array $question = ['version'];

    /**
     * @param int $client a tps_client *
     */
    private function __construct(private readonly int $client)
    {
    }

    /**
     * @param string $options JSON
     *
     * @throws TpsException one class per reason
     */
    public static function open(
        #[\SensitiveParameter] string $username,
        #[\SensitiveParameter] string $password,
        string $organizationId,
        #[\SensitiveParameter] string $options,
    ): self {
        return new self(self::number(self::ask('login', $username, $password, $organizationId, $options)));
    }

    /**
     * The library's version, such as "0.2.0".
     *
     * @throws LibraryException if it cannot be loaded
     */
    public static function version(): string
    {
        return self::string(self::ask('version'));
    }

    public function __destruct()
    {
        // An engine that has ended has freed its clients.
        if (!self::SEALED || self::$engine?->valid()) {
            self::ask('free', $this->client);
        }
    }

    private function __clone()
    {
    }

    /**
     * @return array<string, mixed>
     */
    public function __serialize(): array
    {
        throw new UsageException('a client of libtps cannot be serialized');
    }

    /**
     * One with a number of somebody's choice would be freed at its end.
     *
     * @param array<string, mixed> $data
     */
    public function __unserialize(array $data): void
    {
        throw new UsageException('a client of libtps cannot be unserialized');
    }

    public function id(): int
    {
        return self::number(self::ask('entry', $this->client));
    }

    public function generation(): int
    {
        $held = Signals::canCrash() && Signals::hold();
        try {
            return self::$engine->send($this->client);
        } catch (\Error $error) {
            // It ended by an exception of a signal handler, or such a handler asks while it runs.
            if (self::$engine?->valid() && !self::isRunning($error)) {
                throw $error;
            }

            return self::number(self::ask('generation', $this->client));
        } finally {
            if ($held) {
                Signals::release($held);
            }
        }
    }

    public function word(): object
    {
        $word = self::ask('word', $this->client);

        return is_object($word) ? $word : throw new InternalException('the library returned no number to watch');
    }

    public function wait(int $milliseconds): bool
    {
        return self::outcome(self::ask('wait', $this->client, $milliseconds));
    }

    public function token(): string
    {
        return self::string(self::ask('token', $this->client));
    }

    public function invalidate(#[\SensitiveParameter] string $token): void
    {
        self::ask('invalidate', $this->client, $token);
    }

    public function logout(int $milliseconds): bool
    {
        return self::outcome(self::ask('logout', $this->client, $milliseconds));
    }

    public function stats(): array
    {
        return json_decode(self::string(self::ask('stats', $this->client)), associative: true, flags: JSON_THROW_ON_ERROR);
    }

    /**
     * @throws TpsException one class per reason
     */
    private static function ask(#[\SensitiveParameter] string|int ...$question): string|int|object
    {
        $engine = self::$engine;
        if ($engine === null || !$engine->valid()) {
            self::$engine = $engine = self::engine();
            // Loads the library.
            $engine->current();
        }
        $held = Signals::hold();
        $interrupted = self::$question;
        self::$question = $question;
        try {
            $answer = $engine->send(null);
        } catch (\Error $error) {
            // A signal handler that asks while the engine runs: it gets an engine of its own.
            if (!self::isRunning($error)) {
                throw $error;
            }
            $spare = self::engine();
            $spare->current();
            $answer = $spare->send(null);
        } finally {
            self::$question = $interrupted;
            Signals::release($held);
        }

        return is_array($answer) ? throw Failure::exception(...$answer) : $answer;
    }

    /**
     * Takes a client's number and gives its generation; takes null and gives what self::$question asks for: a string, a
     * number, a word, or the four arguments of Failure::exception().
     */
    private static function engine(): \Generator
    {
        $ffi = self::load();
        $error = $ffi->new('tps_error *');
        $pointer = \FFI::addr($error);
        $answer = '';
        // The clients that were given out here, with how often: no other number is taken for a pointer.
        $clients = [];
        try {
            while (true) {
                $client = yield $answer;
                if ($client !== null) {
                    $answer = !self::SEALED || isset($clients[$client]) ? $ffi->tps_generation($client) : 0;
                    continue;
                }
                $question = self::$question;
                if (self::SEALED && isset($question[1]) && $question[0] !== 'login' && !isset($clients[$question[1]])) {
                    $answer = [Status::Internal->value, 'no such client', 0, 0];
                    continue;
                }
                $answer = match ($question[0]) {
                    'login' => $ffi->tps_login($question[1], $question[2], $question[3], $question[4], $pointer) ?: null,
                    'token' => $ffi->tps_token($question[1], $pointer),
                    'stats' => $ffi->tps_stats($question[1], $pointer),
                    'wait' => $ffi->tps_wait($question[1], $question[2], $pointer),
                    'invalidate' => $ffi->tps_invalidate($question[1], $question[2], $pointer),
                    'logout' => $ffi->tps_logout_wait($question[1], $question[2], $pointer),
                    'generation' => $ffi->tps_generation($question[1]),
                    // Eight bytes, there as long as the process lives, of a type that is PHP's own: nothing beyond them can be
                    // had, and they outlive $ffi. A page that writes there spoils a number, neither a token nor memory.
                    'word' => $ffi->cast('uint64_t', $ffi->cast('tps_word *', $ffi->tps_generation_word($question[1]))[0]),
                    // The address of that number. The library frees clients, but forgets no account while the process lives.
                    'entry' => $ffi->cast('uintptr_t', $ffi->tps_generation_word($question[1]))->cdata,
                    'free' => $ffi->tps_free($ffi->cast('void *', $question[1])),
                    'version' => $ffi->tps_version(),
                };
                if ($question[0] === 'free') {
                    // A void function's answer is an object of FFI.
                    $answer = 0;
                    $clients[$question[1]] = ($clients[$question[1]] ?? 1) - 1;
                } elseif (($answer === null || $answer === -1) && !\FFI::isNull($error)) {
                    $answer = [$error->status, $error->message, $error->http_status, $error->retry_after_ms];
                    $ffi->tps_free($error);
                    // The same variable serves the next call.
                    \FFI::memset($pointer, 0, \FFI::sizeof($error));
                } elseif ($answer instanceof \FFI\CData && $question[0] !== 'word') {
                    $string = $answer;
                    $answer = \FFI::string($string);
                    $ffi->tps_free($string);
                    $string = null;
                } elseif ($question[0] === 'login' && $answer !== null) {
                    $clients[$answer] = ($clients[$answer] ?? 0) + 1;
                }
                $clients = array_filter($clients);
                // Neither an answer nor a reason: of another type than what is owed.
                $answer ??= $question[0] === 'login' ? '' : 0;
                $question = null;
            }
        } finally {
            // PHP ends a page's objects in the order in which they were made: this one before its clients.
            foreach (self::SEALED ? $clients : [] as $client => $times) {
                for (; $times > 0; $times--) {
                    $ffi->tps_free($ffi->cast('void *', $client));
                }
            }
        }
    }

    /**
     * Whether a signal handler has asked while the engine runs.
     */
    private static function isRunning(\Error $error): bool
    {
        return str_starts_with($error->getMessage(), 'Cannot resume an already running generator');
    }

    /** Whether it is done, of a call that waits. */
    private static function outcome(string|int|object $answer): bool
    {
        return match ($answer) {
            1 => true,
            0 => false,
            default => throw new InternalException('the library reports a failure and no reason'),
        };
    }

    private static function number(string|int|object $answer): int
    {
        return is_int($answer) ? $answer : throw new InternalException('the library returned text in place of a number');
    }

    private static function string(string|int|object $answer): string
    {
        return is_string($answer) ? $answer : throw new InternalException('the library reports a failure and no reason');
    }

    private static function load(): \FFI
    {
        if (PHP_INT_SIZE !== 8 || PHP_OS_FAMILY !== 'Linux') {
            throw new LibraryException(Diagnosis::otherPlatform());
        }
        $outdated = Package::outdated();
        if ($outdated !== null) {
            throw new LibraryException($outdated);
        }
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
        try {
            $ffi->{Declarations::NEWEST};
        } catch (\FFI\Exception) {
            throw new LibraryException(Diagnosis::preloadedHeaderTooOld());
        }

        return $ffi;
    }

    private static function fromFile(Library $library): \FFI
    {
        $version = self::versionOf($library);
        if (version_compare($version, Library::NEEDED, '<')) {
            throw new LibraryException(Diagnosis::tooOld($library, $version));
        }
        try {
            return \FFI::cdef(Declarations::C, $library->file);
        } catch (\FFI\Exception $exception) {
            throw new LibraryException(Diagnosis::mismatch($library, $version, $exception->getMessage()));
        }
    }

    /**
     * Asked first and by itself, since a library that is too old may not have all that is declared.
     */
    private static function versionOf(Library $library): string
    {
        $declaration = 'const char *tps_version(void);';
        try {
            return \FFI::cdef($declaration, $library->file)->tps_version();
        } catch (\FFI\Exception $exception) {
            throw new LibraryException(Diagnosis::notLoaded($library, self::reason($declaration, $library->file)
                // From PHP 8.3 on the message has it.
                ?? preg_replace("/^Failed loading '.*?' \\((.*)\\)$/s", '$1', $exception->getMessage()) ?? ''));
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
