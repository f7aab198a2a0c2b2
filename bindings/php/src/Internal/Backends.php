<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\TpsException;

/**
 * Chooses what a new client stands on: the library, unless a test has put something in its place.
 *
 * @internal
 */
final class Backends
{
    /** @var (\Closure(string): Backend)|null */
    private static ?\Closure $fake = null;

    /**
     * @param (\Closure(string): Backend)|null $fake takes the options as JSON; null: the library again
     */
    public static function replace(?\Closure $fake): void
    {
        self::$fake = $fake;
    }

    /**
     * @param string $options JSON
     *
     * @throws TpsException one class per reason
     */
    public static function open(
        #[\SensitiveParameter] string $username,
        #[\SensitiveParameter] string $password,
        string $organizationId,
        #[\SensitiveParameter] string $options,
    ): Backend {
        return self::$fake === null
            ? Native::open($username, $password, $organizationId, $options)
            : (self::$fake)($options);
    }
}
