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
     * The same for clients that share a token and its events, and only for these, as long as the process lives.
     */
    public function id(): int;

    /**
     * The number of the token that token() would return at once; 0: none is at hand.
     */
    public function generation(): int;

    /**
     * An object whose property `cdata` is what generation() would give, or 0: then generation() has to be asked. Read in a
     * fraction of the time of a call.
     */
    public function word(): object;

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
