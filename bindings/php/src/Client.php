<?php

declare(strict_types=1);

namespace TPS;

use Psr\Log\LoggerInterface;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\LibraryException;
use TPS\Exception\TimeoutException;
use TPS\Exception\TpsException;
use TPS\Exception\UsageException;
use TPS\Internal\Arguments;
use TPS\Internal\Backend;
use TPS\Internal\Backends;
use TPS\Internal\Events;
use TPS\Internal\Native;
use TPS\Internal\WithToken;

/**
 * One set of credentials and the token that belongs to them.
 *
 * Clients with the same credentials share one token, in all processes of a user, so it does not matter whether a client
 * is kept or made anew for each page: the token outlives it. README.md lists the options; null means not given.
 *
 * Not final for the sake of Testing\FakeClient alone, which is one to every type declaration.
 *
 * @phpstan-type Options array{
 *     base_url?: string|null, cache?: string|null, token?: string|null, ca_file?: string|null, proxy?: string|null,
 *     timeout_ms?: int|null, connect_timeout_ms?: int|null, refresh_ahead?: int|string|null, logins_per_day?: int|null,
 *     user_agent?: string|null}
 * @phpstan-type Event array{
 *     number: int, time: string, kind: string, reason: string|null, duration: int|null, status: int|string|null,
 *     message: string|null}
 * @phpstan-type Stats array{
 *     version: string, base_url: string,
 *     store: array{kind: string|null, place: string|null, degraded: bool|null, why_not: string|null, lasting: bool|null},
 *     token: array{fingerprint: string, obtained_at: string, expires_at: string|null}|null,
 *     hold_off: array{status: int|string, retry_after_ms: int, message: string}|null,
 *     hits: int, adopted: int, logins: int, logins_by_reason: array<string, int>, logins_failed: int, waits: int,
 *     invalidations: int, false_alarms: int, login_budget_left: int, events: list<Event>}
 */
class Client implements TokenSource, \JsonSerializable
{
    /**
     * How long signal handlers may have to wait, in milliseconds. At the end of timeout_ms the library has one more slice to
     * say what came of it.
     */
    private const SLICE = 50;

    private const TIMEOUT = 15_000;

    /** For one of so many parts of a second holds what the library said of a token that expires. */
    private const TICKS = 16;

    /**
     * Tokens by the library's number for them. Static, so that no dump, cast or export of a client shows one. Numbers
     * are unique in the process and never used again: an entry is either right or never asked for.
     *
     * @var array<int, string>
     */
    private static array $tokens = [];

    /** Null without credentials, and once closed. */
    private ?Backend $backend = null;

    /** As Backend::word(). */
    private object $word;

    /** What Backend::generation() said last, and in which tick of the clock. */
    private int $last = 0;

    private int $tick = 0;

    /** Which credentials are missing, in words. */
    private ?string $missing = null;

    private ?string $baseUrl = null;

    private int $timeout = self::TIMEOUT;

    private ?LoggerInterface $logger = null;

    /**
     * Makes a client without any request to the server: the first token() logs in. A credential that is null
     * is not replaced by another one: token() says which one is missing. So an application starts without them.
     *
     * @param string|null          $username       an e-mail address
     * @param array<string, mixed> $options        see README.md
     * @param LoggerInterface|null $logger         takes the events of this client; null: that of Logging::to()
     *
     * @phpstan-param Options $options
     *
     * @throws InvalidArgumentException which names the argument or option
     * @throws LibraryException if the library cannot be loaded
     */
    public function __construct(
        #[\SensitiveParameter] ?string $username = null,
        #[\SensitiveParameter] ?string $password = null,
        ?string $organizationId = null,
        #[\SensitiveParameter] array $options = [],
        ?LoggerInterface $logger = null,
    ) {
        $this->logger = $logger;
        $given = ['username' => $username, 'password' => $password, 'organizationId' => $organizationId];
        foreach (array_filter($given, is_string(...)) as $name => $value) {
            Arguments::text($name, $value);
        }
        $json = Arguments::options($options);
        $this->missing = Arguments::missing($given);
        if ($username !== null && $password !== null && $organizationId !== null) {
            $this->backend = Backends::open($username, $password, $organizationId, $json);
        }
        $this->word = $this->backend?->word() ?? (object) ['cdata' => 0];
        $this->timeout = $options['timeout_ms'] ?? self::TIMEOUT;
    }

    /**
     * Makes a client that holds a valid token: from memory, else from the store, else by logging in.
     *
     * @param string|null          $username       an e-mail address; null is an error, for each of the three
     * @param array<string, mixed> $options        see README.md
     * @param LoggerInterface|null $logger         takes the events of this client; null: that of Logging::to()
     *
     * @phpstan-param Options $options
     *
     * @throws TpsException one class per reason
     */
    public static function login(
        #[\SensitiveParameter] ?string $username = null,
        #[\SensitiveParameter] ?string $password = null,
        ?string $organizationId = null,
        #[\SensitiveParameter] array $options = [],
        ?LoggerInterface $logger = null,
    ): self {
        $client = new self($username, $password, $organizationId, $options, $logger);
        $client->token();

        return $client;
    }

    /**
     * Like login(), with TPS_USERNAME, TPS_PASSWORD and TPS_ORGANIZATION_ID from the environment, all of them, and TPS_TOKEN
     * if it is set: a token that is held already. Under FPM these are set in the pool (env[TPS_USERNAME] = …), since it clears
     * the environment.
     *
     * @param array<string, mixed> $options see README.md
     * @param LoggerInterface|null $logger  takes the events of this client; null: that of Logging::to()
     *
     * @phpstan-param Options $options
     *
     * @throws InvalidArgumentException which names the variables that are missing
     * @throws TpsException one class per other reason
     */
    public static function fromEnvironment(
        #[\SensitiveParameter] array $options = [],
        ?LoggerInterface $logger = null,
    ): self {
        $credentials = Arguments::environmentCredentials();
        $options['token'] ??= Arguments::environment('TPS_TOKEN');

        return self::login(...$credentials, options: $options, logger: $logger);
    }

    /**
     * Why no client can work here: the extension is missing, FFI is not allowed, there is no library for this platform; with
     * what to type. For an activation hook or a health page.
     *
     * @return string|null one line; null: all is well
     */
    public static function unavailableReason(): ?string
    {
        try {
            Native::version();
        } catch (LibraryException $exception) {
            return $exception->getMessage();
        }

        return null;
    }

    /**
     * The valid token. While it is at hand this is one look at the library's memory, and at the clock if the token expires:
     * then the library is asked 16 times a second. Otherwise it logs in, or waits for the thread or process that is logging
     * in, at most timeout_ms. Signal handlers run meanwhile.
     *
     * @throws TpsException one class per reason
     */
    public function token(): string
    {
        return self::$tokens[$this->word->cdata]
            ?? ($this->tick === (int) (microtime(true) * self::TICKS) ? self::$tokens[$this->last] ?? null : null)
            ?? $this->fetch();
    }

    /**
     * The value for the header Authorization: "Token …".
     *
     * @throws TpsException as token()
     */
    public function authorization(): string
    {
        return 'Token ' . $this->token();
    }

    /**
     * Sees to it that a token is at hand, for an event loop: a login is started and goes on by itself, other calls of ready()
     * wait for it further.
     *
     * @param int $milliseconds how long to wait; 0 starts it and returns
     *
     * @return bool whether token() would return at once
     *
     * @throws TpsException as token()
     */
    public function ready(int $milliseconds): bool
    {
        if ($milliseconds < 0) {
            throw new InvalidArgumentException("milliseconds is $milliseconds: pass 0 or more");
        }
        $backend = $this->backend();
        if ($backend->generation() !== 0) {
            return true;
        }
        try {
            return $this->wait($backend->wait(...), $milliseconds);
        } finally {
            $this->passEventsOn($backend);
        }
    }

    /**
     * Calls the API with any HTTP library: with the token and, where the server rejects that, once more with another one.
     *
     * A rejection is one of these: a response (PSR-7, Symfony's, Laravel's, WordPress's array, any object with
     * getStatusCode()), the number 401, an exception that carries a response, a TokenRejectedException. A promise of
     * Guzzle, php-http or React may give one of them too.
     *
     * @template T
     *
     * @param callable(string): T $send takes the token and sends the request
     *
     * @return T what it returned in the end, a rejection too
     *
     * @throws TpsException as token(); and whatever $send throws
     */
    public function withToken(callable $send): mixed
    {
        return WithToken::call($this, $send);
    }

    /**
     * Says that the server answered 401 to this very token. Does nothing where that token has been replaced already, so
     * any number of callers may report the same one. Otherwise the next token() takes what another process has stored, or
     * asks the server, and logs in if the token is gone indeed; one that the server takes after all stays.
     *
     * @param string $token the token that was sent
     *
     * @throws InvalidArgumentException if it is empty
     * @throws TpsException one class per other reason
     */
    public function invalidate(#[\SensitiveParameter] string $token): void
    {
        $this->backend()->invalidate(Arguments::text('token', $token));
        // Each client that has it asks anew.
        self::$tokens = [];
    }

    /**
     * Revokes the token at the server and forgets it. The client stays usable, and would log in anew. Signal handlers run
     * meanwhile.
     *
     * @throws TpsException one class per reason
     */
    public function logout(): void
    {
        $backend = $this->backend();
        try {
            if (!$this->wait($backend->logout(...), $this->timeout + self::SLICE)) {
                throw new TimeoutException("no answer to the logout in $this->timeout ms; it goes on");
            }
        } finally {
            $this->passEventsOn($backend);
        }
        self::$tokens = [];
    }

    /**
     * What the library did and holds, without secrets; README.md says what the fields mean. A newer library may add more.
     *
     * @return array<string, mixed>
     *
     * @phpstan-return Stats
     *
     * @throws TpsException one class per reason
     */
    public function stats(): array
    {
        /** @var Stats */
        return $this->backend()->stats();
    }

    /**
     * The URL of the server that the token is for. It goes to no other origin.
     *
     * @throws TpsException one class per reason
     */
    public function baseUrl(): string
    {
        return $this->baseUrl ??= $this->stats()['base_url'];
    }

    /**
     * Gives back what the client holds, as its end does. The token stays, in the library and in the store. Any number of
     * times; every other method throws a UsageException from then on.
     */
    public function close(): void
    {
        $this->forget();
        $this->backend = null;
        $this->word = (object) ['cdata' => 0];
        $this->missing = null;
    }

    /** An empty object, whatever is added to the class. */
    public function jsonSerialize(): object
    {
        return new \stdClass();
    }

    /**
     * @return array<string, string>
     */
    public function __debugInfo(): array
    {
        return ['token' => '[redacted]'];
    }

    /**
     * @return array<string, mixed>
     *
     * @throws UsageException always: a client belongs to its process
     */
    public function __serialize(): array
    {
        throw new UsageException('a TPS\Client cannot be serialized: make it anew from the credentials');
    }

    /**
     * @param array<string, mixed> $data
     *
     * @throws UsageException always
     */
    public function __unserialize(#[\SensitiveParameter] array $data): void
    {
        throw new UsageException('a TPS\Client cannot be unserialized: make it anew from the credentials');
    }

    public function __destruct()
    {
        $this->forget();
    }

    private function __clone()
    {
    }

    /**
     * For Testing\FakeClient.
     *
     * @internal
     */
    final protected function standOn(Backend $backend): void
    {
        $this->backend = $backend;
        $this->word = $backend->word();
    }

    private function backend(): Backend
    {
        return $this->backend ?? throw ($this->missing === null
            ? new UsageException('this TPS\Client is closed: make another one')
            : new InvalidArgumentException($this->missing));
    }

    private function fetch(): string
    {
        $backend = $this->backend();
        $number = $this->ask($backend);
        if (isset(self::$tokens[$number])) {
            return self::$tokens[$number];
        }
        if ($number !== 0) {
            return $this->keep($number, $backend->token());
        }
        try {
            if (!$this->wait($backend->wait(...), $this->timeout + self::SLICE)) {
                throw new TimeoutException("no token in $this->timeout ms");
            }

            return $this->keep($this->ask($backend), $backend->token());
        } finally {
            $this->passEventsOn($backend);
        }
    }

    /** The number of the token at hand. */
    private function ask(Backend $backend): int
    {
        $this->tick = (int) (microtime(true) * self::TICKS);
        $number = $backend->generation();
        if ($number !== $this->last) {
            $this->forget();
            $this->last = $number;
        }

        return $number;
    }

    /**
     * The number is asked before and after: a token between two different ones may belong to either.
     */
    private function keep(int $number, #[\SensitiveParameter] string $token): string
    {
        if ($number !== 0 && $number === $this->backend()->generation()) {
            self::$tokens[$number] = $token;
        }

        return $token;
    }

    /**
     * Waits in slices: between two of them PHP runs signal handlers.
     *
     * @param \Closure(int): bool $step waits so many milliseconds, and says whether it is done
     */
    private function wait(\Closure $step, int $milliseconds): bool
    {
        $end = hrtime(true) + $milliseconds * 1_000_000;
        do {
            $left = intdiv(max(0, $end - hrtime(true)) + 999_999, 1_000_000);
            if ($step(min(self::SLICE, $left))) {
                return true;
            }
        } while ($left > 0);

        return false;
    }

    /** Only after a call that was slow already. */
    private function passEventsOn(Backend $backend): void
    {
        $logger = $this->logger ?? Logging::logger();
        if ($logger !== null) {
            Events::passOn($backend, $logger);
        }
    }

    /** Another client of the same token may still want the entry: it will ask for the token once more, no harm done. */
    private function forget(): void
    {
        unset(self::$tokens[$this->last]);
        $this->last = 0;
    }
}
