<?php

declare(strict_types=1);

namespace TPS\Testing;

use TPS\Exception\InvalidArgumentException;
use TPS\Exception\TpsException;
use TPS\Internal\Arguments;
use TPS\Internal\Backend;
use TPS\Internal\Secret;

/**
 * What a FakeClient does, and what was done with it. It has no number for a token: each one is asked for.
 *
 * @internal
 */
final class Script implements Backend
{
    private readonly string $obtainedAt;

    /** @var list<Secret> so that no dump shows one */
    private array $rejected = [];

    private int $hits = 0;

    private int $logins = 0;

    private int $loginsFailed = 0;

    /** Whether the first of the steps is a token that was handed out. */
    private bool $begun = false;

    /**
     * @param non-empty-list<Secret|TpsException> $steps
     */
    private function __construct(private array $steps, private readonly string $baseUrl)
    {
        $this->obtainedAt = gmdate('Y-m-d\TH:i:s\Z');
    }

    /**
     * @param list<string|TpsException> $steps
     */
    public static function of(#[\SensitiveParameter] array $steps, string $baseUrl): self
    {
        $kept = [];
        foreach ($steps as $step) {
            $kept[] = $step instanceof TpsException ? $step : new Secret(Arguments::text('token', $step));
        }

        return new self($kept ?: throw new InvalidArgumentException('token is an empty list'), $baseUrl);
    }

    public function id(): int
    {
        return spl_object_id($this);
    }

    public function generation(): int
    {
        return 0;
    }

    public function word(): object
    {
        return (object) ['cdata' => 0];
    }

    public function wait(int $milliseconds): bool
    {
        $step = $this->steps[0];
        if ($step instanceof TpsException) {
            $this->loginsFailed++;
            $this->next();
            throw $step;
        }

        return true;
    }

    public function token(): string
    {
        $this->wait(0);
        $this->begun ? $this->hits++ : $this->logins++;
        $this->begun = true;

        return (string) $this->present();
    }

    public function invalidate(#[\SensitiveParameter] string $token): void
    {
        if ($token === $this->present()) {
            $this->rejected[] = new Secret($token);
            $this->next();
        }
    }

    public function logout(int $milliseconds): bool
    {
        $this->next();

        return true;
    }

    public function stats(): array
    {
        $token = $this->present();

        return [
            'version' => 'fake',
            'base_url' => $this->baseUrl,
            'store' => ['kind' => 'memory', 'place' => null, 'degraded' => false, 'why_not' => null, 'lasting' => false],
            'token' => $token === null ? null : [
                'fingerprint' => substr(hash('sha256', $token), 0, 12),
                'obtained_at' => $this->obtainedAt,
                'expires_at' => null,
            ],
            'hold_off' => null,
            'hits' => $this->hits,
            'adopted' => 0,
            'logins' => $this->logins,
            'logins_by_reason' => [
                'first' => min(1, $this->logins),
                'ended' => 0,
                'renewed' => 0,
                'rejected' => max(0, $this->logins - 1),
            ],
            'logins_failed' => $this->loginsFailed,
            'login_budget_left' => 3,
            'waits' => 0,
            'invalidations' => count($this->rejected),
            'false_alarms' => 0,
            'events' => [],
        ];
    }

    /**
     * The tokens that were reported as rejected while they were the current one.
     *
     * @return list<string>
     */
    public function rejected(): array
    {
        return array_map(static fn (Secret $token): string => $token->reveal(), $this->rejected);
    }

    /** The token that was handed out last, while it is the one that counts. */
    private function present(): ?string
    {
        return $this->begun && $this->steps[0] instanceof Secret ? $this->steps[0]->reveal() : null;
    }

    /** The last step stays. */
    private function next(): void
    {
        if (count($this->steps) > 1) {
            array_shift($this->steps);
            $this->begun = false;
        }
    }
}
