<?php

declare(strict_types=1);

namespace TPS;

use TPS\Exception\TokenRejectedException;
use TPS\Exception\TpsException;
use TPS\Internal\Arguments;
use TPS\Internal\Native;
use TPS\Internal\Rejection;
use TPS\Internal\Trace;

/**
 * One set of credentials and the token that belongs to them.
 *
 * Clients with the same credentials share one token, in all processes of a user, so it does not matter whether a client
 * is kept or made anew for each page: the token outlives it.
 *
 * Options, each by its name; null means not given:
 * - base_url (string): https://app.tpstreams.com; http:// only to this machine; else TPS_BASE_URL
 * - cache (string): "auto", the user's directory; "file:DIR", another one; "memory"; "redis://…", "rediss://…" or
 *   "redis+unix://…", for all hosts; else TPS_CACHE
 * - token (string): a token that you hold already; else TPS_TOKEN
 * - ca_file (string): a PEM file trusted besides the system's certificates; else TPS_CA_FILE
 * - timeout_ms (int): milliseconds for a whole call, 15000
 * - connect_timeout_ms (int): milliseconds for connecting, TLS included, all addresses together, 3000
 * - proxy (string): a URL (http, https, socks5), or "none"; else the usual environment variables, HTTPS_PROXY first
 * - refresh_ahead (int|string): how many seconds before its known end a token is renewed while it serves on; 0: only once
 *   it has ended; "auto": up to 120, and less for a short life
 * - logins_per_day (int): how many logins may replace tokens before their known end, for all processes together, 10; 0: no
 *   limit
 * - user_agent (string): put before the library's own
 *
 * Not final for the sake of Testing\FakeClient alone, which is one to every type declaration.
 */
class Client implements \JsonSerializable
{
    /**
     * Tokens by the library's number for them. Static, so that no dump, cast or export of a client shows one. Numbers
     * are unique in the process and never used again: an entry is either right or never asked for.
     *
     * @var array<int, string>
     */
    private static array $tokens = [];

    /** Null once closed. */
    private ?Native $native;

    /** The number under which this client has put a token into the table; 0: none. */
    private int $number = 0;

    /**
     * Makes a client without any request to the server: the first token() logs in.
     *
     * @param string|null          $username       an e-mail address; null: the environment variable TPS_USERNAME
     * @param string|null          $password       null: TPS_PASSWORD
     * @param string|null          $organizationId null: TPS_ORGANIZATION_ID
     * @param array<string, mixed> $options        see the class
     *
     * @throws Exception\InvalidArgumentException which names the argument or option
     * @throws Exception\LibraryException if the library cannot be loaded
     */
    public function __construct(
        #[\SensitiveParameter] ?string $username = null,
        #[\SensitiveParameter] ?string $password = null,
        ?string $organizationId = null,
        #[\SensitiveParameter] array $options = [],
    ) {
        $username = Arguments::credential('username', 'TPS_USERNAME', $username);
        $password = Arguments::credential('password', 'TPS_PASSWORD', $password);
        $organizationId = Arguments::credential('organizationId', 'TPS_ORGANIZATION_ID', $organizationId);
        $options = Arguments::options($options);
        $this->native = Native::open($username, $password, $organizationId, $options);
    }

    /**
     * Makes a client that holds a valid token: from memory, else from the store, else by logging in.
     *
     * @param string|null          $username       an e-mail address; null: the environment variable TPS_USERNAME
     * @param string|null          $password       null: TPS_PASSWORD
     * @param string|null          $organizationId null: TPS_ORGANIZATION_ID
     * @param array<string, mixed> $options        see the class
     *
     * @throws TpsException one subclass per reason
     */
    public static function login(
        #[\SensitiveParameter] ?string $username = null,
        #[\SensitiveParameter] ?string $password = null,
        ?string $organizationId = null,
        #[\SensitiveParameter] array $options = [],
    ): self {
        $client = new self($username, $password, $organizationId, $options);
        $client->token();

        return $client;
    }

    /**
     * Like login(), with TPS_USERNAME, TPS_PASSWORD and TPS_ORGANIZATION_ID from the environment. Under FPM these are
     * set in the pool (env[TPS_USERNAME] = …), since it clears the environment.
     *
     * @param array<string, mixed> $options see the class
     *
     * @throws Exception\InvalidArgumentException which names the variable that is missing
     * @throws TpsException one subclass per other reason
     */
    public static function fromEnvironment(#[\SensitiveParameter] array $options = []): self
    {
        return self::login(options: $options);
    }

    /**
     * The valid token. One call into the library while it is at hand; otherwise this logs in, or waits for whoever is
     * logging in, at most timeout_ms.
     *
     * @throws TpsException one subclass per reason
     */
    public function token(): string
    {
        $number = ($this->native ?? $this->native())->generation();

        return self::$tokens[$number] ?? $this->fetch($number);
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
     * Calls the API with any HTTP library: with the token and, where the server rejects that, once more with another one.
     *
     * @template T
     *
     * @param callable(string): T $send takes the token and sends the request. It reports a rejected token by throwing
     *                                  TokenRejectedException, or by returning 401 or a response with that status. Where
     *                                  it returns a PSR-7 response, a 401 that says nothing against the token is none.
     *
     * @return T what it returned in the end, a rejection too
     *
     * @throws TokenRejectedException if it throws that twice
     * @throws TpsException as token()
     */
    public function withToken(callable $send): mixed
    {
        $token = $this->token();
        try {
            $outcome = Trace::without($token, $send);
            if (!Rejection::in($outcome)) {
                return $outcome;
            }
        } catch (TokenRejectedException) {
        }
        $this->invalidate($token);

        return Trace::without($this->token(), $send);
    }

    /**
     * Says that the server answered 401 to this very token. Does nothing where that token has been replaced already, so
     * any number of callers may report the same one. Otherwise the next token() takes what another process has stored, or
     * asks the server, and logs in if the token is gone indeed; one that the server takes after all stays.
     *
     * @param string $token the token that was sent
     *
     * @throws Exception\InvalidArgumentException if it is empty
     * @throws TpsException one subclass per other reason
     */
    public function invalidate(#[\SensitiveParameter] string $token): void
    {
        $this->native()->invalidate(Arguments::text('token', $token));
    }

    /**
     * Revokes the token at the server and forgets it. The client stays usable, and would log in anew.
     *
     * @throws TpsException one subclass per reason
     */
    public function logout(): void
    {
        $this->native()->logout();
        $this->forget();
    }

    /**
     * What the library did and holds, without secrets: version, base_url, store, token (a fingerprint), hold_off, and
     * counters since the process began: hits, adopted (from the store), logins, logins_by_reason (first, ended, renewed,
     * rejected), logins_failed, waits, invalidations, false_alarms (of these, tokens that stand after all);
     * login_budget_left says how many logins may follow one another now; events are the last 32, each with number, time,
     * kind, reason, duration (in milliseconds), status and message. A newer library may add more.
     *
     * @return array<string, mixed>
     *
     * @throws TpsException one subclass per reason
     */
    public function stats(): array
    {
        return json_decode($this->native()->stats(), associative: true, flags: JSON_THROW_ON_ERROR);
    }

    /**
     * Gives back what the client holds, as its end does. The token stays, in the library and in the store. Any number of
     * times; every other method throws a LogicException from then on.
     */
    public function close(): void
    {
        $this->forget();
        $this->native = null;
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
     * @throws \LogicException always: a client belongs to its process
     */
    public function __serialize(): array
    {
        throw new \LogicException('a TPS\Client cannot be serialized: make it anew from the credentials');
    }

    /**
     * @param array<string, mixed> $data
     *
     * @throws \LogicException always
     */
    public function __unserialize(#[\SensitiveParameter] array $data): void
    {
        throw new \LogicException('a TPS\Client cannot be unserialized: make it anew from the credentials');
    }

    public function __destruct()
    {
        $this->forget();
    }

    private function __clone()
    {
    }

    private function native(): Native
    {
        return $this->native ?? throw new \LogicException('this TPS\Client is closed: make another one');
    }

    /**
     * The number is asked before and after: a token between two different ones may belong to either.
     *
     * @param int $number before; 0: there was none
     */
    private function fetch(int $number): string
    {
        $token = $this->native()->token();
        $this->forget();
        if ($number !== 0 && $number === $this->native()->generation()) {
            self::$tokens[$number] = $token;
            $this->number = $number;
        }

        return $token;
    }

    /** Another client of the same token may still want the entry: it will ask for the token once more, no harm done. */
    private function forget(): void
    {
        unset(self::$tokens[$this->number]);
        $this->number = 0;
    }
}
