<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * Keeps signal handlers out of calls into the library: they run right after.
 *
 * From PHP 8.3 on a handler may run while the frame of a call by FFI is half gone. PHP crashes then as soon as the handler makes
 * an exception or looks at its callers.
 *
 * @internal
 */
final class Signals
{
    /**
     * Whether even the shortest calls need hold().
     */
    public static function canCrash(): bool
    {
        return PHP_VERSION_ID >= 80300 && function_exists('pcntl_async_signals');
    }

    /**
     * From now on handlers wait.
     *
     * @return bool what release() wants to know: whether they run by themselves otherwise
     */
    public static function hold(): bool
    {
        return function_exists('pcntl_async_signals') && pcntl_async_signals(false);
    }

    /**
     * Runs those that have waited. What a handler throws comes out of here.
     */
    public static function release(bool $held): void
    {
        if ($held) {
            pcntl_async_signals(true);
            pcntl_signal_dispatch();
        }
    }
}
