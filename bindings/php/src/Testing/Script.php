<?php

declare(strict_types=1);

namespace TPS\Testing;

use TPS\Exception\InvalidArgumentException;
use TPS\Exception\TpsException;
use TPS\Internal\Arguments;

/**
 * What a FakeClient does, and what was done with it.
 *
 * @internal
 */
final class Script
{
    public readonly string $obtainedAt;

    /** @var list<string> */
    public array $rejected = [];

    public bool $closed = false;

    public int $hits = 0;

    public int $logins = 0;

    public int $loginsFailed = 0;

    /** Whether the first of the steps is a token that was handed out. */
    private bool $begun = false;

    /**
     * @param non-empty-list<string|TpsException> $steps
     */
    private function __construct(private array $steps)
    {
        $this->obtainedAt = gmdate('Y-m-d\TH:i:s\Z');
    }

    /**
     * @param list<string|TpsException> $steps
     */
    public static function of(#[\SensitiveParameter] array $steps): self
    {
        foreach ($steps as $step) {
            if (!$step instanceof TpsException) {
                Arguments::text('token', $step);
            }
        }

        return new self($steps ?: throw new InvalidArgumentException('token is an empty list'));
    }

    public function token(): string
    {
        $step = $this->steps[0];
        if ($step instanceof TpsException) {
            $this->loginsFailed++;
            $this->next();
            throw $step;
        }
        $this->begun ? $this->hits++ : $this->logins++;
        $this->begun = true;

        return $step;
    }

    /** The token that was handed out last, while it is the one that counts. */
    public function present(): ?string
    {
        return $this->begun ? $this->steps[0] : null;
    }

    /** The last step stays. */
    public function next(): void
    {
        if (count($this->steps) > 1) {
            array_shift($this->steps);
            $this->begun = false;
        }
    }
}
