<?php

declare(strict_types=1);

namespace TPS\Testing;

use TPS\Client;
use TPS\Exception\TpsException;
use TPS\Internal\Arguments;

/**
 * A Client for tests: it takes its tokens from a script, and needs neither the library nor a network.
 *
 *     new FakeClient();                                               // always the same token
 *     new FakeClient(['one', 'two']);                                 // the second once the first was rejected
 *     new FakeClient(['one', new ThrottledException('…', 429, 60)]);  // no other one then
 */
final class FakeClient extends Client
{
    /**
     * Not in a property of the object, so that no dump of it shows a token.
     *
     * @var \WeakMap<self, Script>|null
     */
    private static ?\WeakMap $scripts = null;

    /**
     * @param string|TpsException|list<string|TpsException> $token   what token() gives, in this order: a token until it is
     *                                                               rejected or logged out, an exception once. The last
     *                                                               of them stays.
     * @param string                                        $baseUrl where requests get the header
     */
    public function __construct(
        #[\SensitiveParameter] string|TpsException|array $token = 'fake-token',
        private readonly string $baseUrl = 'https://app.tpstreams.com',
    ) {
        self::$scripts ??= new \WeakMap();
        self::$scripts[$this] = Script::of(is_array($token) ? array_values($token) : [$token]);
    }

    /**
     * A client with the usual token, whatever the credentials.
     */
    public static function login(
        #[\SensitiveParameter] ?string $username = null,
        #[\SensitiveParameter] ?string $password = null,
        ?string $organizationId = null,
        #[\SensitiveParameter] array $options = [],
    ): self {
        return new self();
    }

    /**
     * As login().
     */
    public static function fromEnvironment(#[\SensitiveParameter] array $options = []): self
    {
        return new self();
    }

    public function token(): string
    {
        return $this->script()->token();
    }

    public function invalidate(#[\SensitiveParameter] string $token): void
    {
        $script = $this->script();
        if (Arguments::text('token', $token) === $script->present()) {
            $script->rejected[] = $token;
            $script->next();
        }
    }

    public function logout(): void
    {
        $this->script()->next();
    }

    /**
     * The tokens that were reported as rejected while they were the present one.
     *
     * @return list<string>
     */
    public function rejected(): array
    {
        return $this->script()->rejected;
    }

    public function stats(): array
    {
        $script = $this->script();
        $token = $script->present();
        $rejections = count($script->rejected);

        return [
            'version' => 'fake',
            'base_url' => $this->baseUrl,
            'store' => ['kind' => 'memory', 'place' => null, 'degraded' => false, 'why_not' => null, 'lasting' => false],
            'token' => $token === null ? null : [
                'fingerprint' => substr(hash('sha256', $token), 0, 12),
                'obtained_at' => $script->obtainedAt,
                'expires_at' => null,
            ],
            'hold_off' => null,
            'hits' => $script->hits,
            'adopted' => 0,
            'logins' => $script->logins,
            'logins_by_reason' => [
                'first' => min(1, $script->logins),
                'ended' => 0,
                'renewed' => 0,
                'rejected' => max(0, $script->logins - 1),
            ],
            'logins_failed' => $script->loginsFailed,
            'login_budget_left' => 3,
            'waits' => 0,
            'invalidations' => $rejections,
            'false_alarms' => 0,
            'events' => [],
        ];
    }

    public function close(): void
    {
        self::$scripts[$this]->closed = true;
    }

    private function script(): Script
    {
        $script = self::$scripts[$this];
        if ($script->closed) {
            throw new \LogicException('this TPS\Testing\FakeClient is closed: make another one');
        }

        return $script;
    }
}
