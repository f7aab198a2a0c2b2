<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

use Psr\Log\AbstractLogger;

/**
 * A logger that keeps what it is told.
 */
final class Records extends AbstractLogger
{
    /** @var list<array{string, string, array<string, mixed>}> */
    public array $all = [];

    public function log($level, $message, array $context = []): void
    {
        $this->all[] = [$level, (string) $message, $context];
    }

    /**
     * @return list<string> kinds, in their order
     */
    public function kinds(): array
    {
        return array_map(static fn (array $record): string => $record[2]['tps']['kind'] ?? '-', $this->all);
    }
}
