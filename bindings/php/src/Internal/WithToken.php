<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\TokenSource;

/**
 * Calls somebody's function with a token, and once more with another one where the server rejects the first.
 *
 * @internal
 */
final class WithToken
{
    /** Promises by name: the libraries need not be there. All have then(). */
    private const PROMISES = [
        'GuzzleHttp\Promise\PromiseInterface',
        'Http\Promise\Promise',
        'React\Promise\PromiseInterface',
    ];

    /**
     * @template T
     *
     * @param callable(string): T $send
     *
     * @return T
     */
    public static function call(TokenSource $source, callable $send): mixed
    {
        $token = $source->token();
        try {
            $outcome = Trace::without($token, $send);
        } catch (\Throwable $thrown) {
            if (!Rejection::causes($thrown)) {
                throw $thrown;
            }
            $source->invalidate($token);

            return Trace::without($source->token(), $send);
        }
        if (self::isPromise($outcome)) {
            return self::later($source, $send, $outcome, new Secret($token));
        }
        if (!Rejection::in($outcome)) {
            return $outcome;
        }
        $source->invalidate($token);

        return Trace::without($source->token(), $send);
    }

    private static function isPromise(mixed $outcome): bool
    {
        foreach (self::PROMISES as $class) {
            if ($outcome instanceof $class) {
                return true;
            }
        }

        return false;
    }

    private static function later(TokenSource $source, callable $send, object $promise, Secret $token): object
    {
        $again = static function () use ($source, $send, $token): mixed {
            $source->invalidate($token->reveal());

            $outcome = Trace::without($source->token(), $send);

            // A promise of php-http takes a response here, and no other promise.
            return $outcome instanceof \Http\Promise\Promise ? $outcome->wait() : $outcome;
        };

        return $promise->then(
            static fn (mixed $outcome): mixed => Rejection::in($outcome) ? $again() : $outcome,
            static function (mixed $reason) use ($again, $token): mixed {
                if (Rejection::causes($reason)) {
                    return $again();
                }
                if ($reason instanceof \Throwable) {
                    throw Trace::cleaned($reason, $token->reveal());
                }

                // Guzzle's alone: with the others a reason is an exception.
                return \GuzzleHttp\Promise\Create::rejectionFor($reason);
            },
        );
    }
}
