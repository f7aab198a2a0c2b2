<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * Owns one client of the library, and gives it back exactly once.
 *
 * exit() and fatal errors run no destructor. That is harmless: the library counts its clients and hands out the same
 * one for the same credentials.
 *
 * @internal
 */
final class Handle
{
    /**
     * @param Native $native  kept here, so that it outlives the client
     * @param object $pointer a tps_client *
     */
    public function __construct(private readonly Native $native, public readonly object $pointer)
    {
    }

    public function __destruct()
    {
        $this->native->free($this->pointer);
    }

    private function __clone()
    {
    }
}
