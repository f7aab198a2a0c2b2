<?php

declare(strict_types=1);

namespace TPS\Guzzle;

use GuzzleHttp\Promise\Is;
use GuzzleHttp\Promise\Promise;
use GuzzleHttp\Promise\PromiseInterface;
use TPS\Client;
use TPS\Exception\TpsException;

/**
 * Waits for a token without holding up Guzzle's other transfers.
 *
 * @internal
 */
final class PendingToken
{
    /** In milliseconds: how long other transfers may have to wait. */
    private const SLICE = 10;

    /** @var \WeakMap<PromiseInterface, true>|null transfers that may be under way */
    private static ?\WeakMap $transfers = null;

    /**
     * Remembers a transfer: a caller that waits for a token helps it along.
     */
    public static function alongside(PromiseInterface $transfer): PromiseInterface
    {
        self::$transfers ??= new \WeakMap();
        if (Is::pending($transfer)) {
            self::$transfers[$transfer] = true;
        }

        return $transfer;
    }

    /**
     * Calls a function once there is a token, or once it is known that there is none.
     *
     * @param \Closure(?TpsException): PromiseInterface $go takes why there is none
     */
    public static function of(Client $client, \Closure $go): PromiseInterface
    {
        $failure = null;
        if (self::isDecided($client, 0, $failure)) {
            return $go($failure);
        }
        $queue = NextTurnQueue::installed();
        $promise = new Promise(static function () use ($queue, &$promise): void {
            while (Is::pending($promise)) {
                self::helpAlong();
                $queue->run();
            }
        });
        $look = static function () use ($client, $go, $queue, $promise, &$look): void {
            if (!Is::pending($promise)) {
                return;
            }
            $failure = null;
            if (self::isDecided($client, self::SLICE, $failure)) {
                $promise->resolve($go($failure));
            } else {
                $queue->addForNextTurn($look);
            }
        };
        $queue->addForNextTurn($look);

        return $promise;
    }

    private static function isDecided(Client $client, int $milliseconds, ?TpsException &$failure): bool
    {
        try {
            return $client->ready($milliseconds);
        } catch (TpsException $failure) {
            return true;
        }
    }

    /** One transfer is enough: its handler drives all that it has, and runs the queue between. */
    private static function helpAlong(): void
    {
        foreach (self::$transfers ?? [] as $transfer => $_) {
            if (Is::pending($transfer)) {
                $transfer->wait(false);

                return;
            }
            unset(self::$transfers[$transfer]);
        }
    }
}
