<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\TpsException;

/**
 * What a Client stands on: the library, or the script of a test.
 *
 * @internal
 */
interface Backend
{
    /**
     * The same for clients that share all, and only for these.
     */
    public function id(): int;

    /**
     * The number of the token that token() would return at once; 0: none is at hand.
     */
    public function generation(): int;

    /**
     * Takes id() and gives generation(), at the least cost: send() is no function of PHP code. Null: there is none. One that
     * has ended gives null; it is asked for anew then.
     *
     * @return \Generator<int, mixed, int|null, void>|null
     */
    public function numbers(): ?\Generator;

    /**
     * Starts a lookup, or joins the one under way, and waits so long for it.
     *
     * @return bool whether token() would return at once
     *
     * @throws TpsException one class per reason
     */
    public function wait(int $milliseconds): bool;

    /**
     * @throws TpsException one class per reason
     */
    public function token(): string;

    /**
     * @throws TpsException one class per reason
     */
    public function invalidate(#[\SensitiveParameter] string $token): void;

    /**
     * Starts a logout, or joins the one under way, and waits so long for it.
     *
     * @return bool whether it is done
     *
     * @throws TpsException one class per reason
     */
    public function logout(int $milliseconds): bool;

    /**
     * @return array<string, mixed>
     *
     * @throws TpsException one class per reason
     */
    public function stats(): array;
}
