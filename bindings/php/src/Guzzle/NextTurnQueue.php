<?php

declare(strict_types=1);

namespace TPS\Guzzle;

use GuzzleHttp\Promise\TaskQueueInterface;
use GuzzleHttp\Promise\Utils;

/**
 * Guzzle's task queue, which also takes tasks for its next turn: between two turns Guzzle looks after its transfers.
 *
 * @internal
 */
final class NextTurnQueue implements TaskQueueInterface
{
    /** @var list<callable(): void> */
    private array $next = [];

    private function __construct(private readonly TaskQueueInterface $queue)
    {
    }

    /**
     * Guzzle's queue as one of these, put around the queue that is set, where that is another.
     */
    public static function installed(): self
    {
        $queue = Utils::queue();
        if (!$queue instanceof self) {
            $queue = new self($queue);
            Utils::queue($queue);
        }

        return $queue;
    }

    /** @param callable(): void $task */
    public function addForNextTurn(callable $task): void
    {
        $this->next[] = $task;
    }

    public function isEmpty(): bool
    {
        return $this->next === [] && $this->queue->isEmpty();
    }

    public function add(callable $task): void
    {
        $this->queue->add($task);
    }

    public function run(): void
    {
        [$tasks, $this->next] = [$this->next, []];
        foreach ($tasks as $task) {
            $this->queue->add($task);
        }
        $this->queue->run();
    }
}
