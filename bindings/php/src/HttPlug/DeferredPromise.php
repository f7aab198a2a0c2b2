<?php

declare(strict_types=1);

namespace TPS\HttPlug;

use Http\Promise\Promise;
use Http\Promise\RejectedPromise;
use TPS\Client;
use TPS\Internal\Deferred;
use TPS\Internal\Waiting;

/**
 * The answer to a request that waits for a login: it is sent as soon as there is a token and somebody looks at it. Meanwhile
 * other transfers go on.
 *
 * @internal
 */
final class DeferredPromise implements Promise, Deferred
{
    private ?Promise $promise = null;

    /**
     * @param \Closure(): Promise $send waits for the token and sends the request
     */
    public function __construct(private readonly Client $client, private readonly \Closure $send)
    {
        Waiting::add($client, $this);
    }

    /** A request whose answer nobody wants is sent all the same. */
    public function __destruct()
    {
        $this->sent();
    }

    public function then(?callable $onFulfilled = null, ?callable $onRejected = null): Promise
    {
        return $this->promise?->then($onFulfilled, $onRejected)
            ?? new self($this->client, fn (): Promise => $this->sent()->then($onFulfilled, $onRejected));
    }

    public function getState(): string
    {
        return $this->promise?->getState() ?? self::PENDING;
    }

    /**
     * @param bool $unwrap whether the answer is returned, or its exception thrown
     */
    public function wait($unwrap = true): mixed
    {
        return $this->sent()->wait($unwrap);
    }

    public function begin(): void
    {
        try {
            $this->promise ??= ($this->send)();
        } catch (\Exception $failure) {
            $this->promise = new RejectedPromise($failure);
        }
    }

    private function sent(): Promise
    {
        if ($this->promise === null) {
            $this->begin();
            if ($this->promise->getState() !== self::REJECTED) {
                Waiting::sendAll($this->client);
            }
        }

        return $this->promise;
    }
}
