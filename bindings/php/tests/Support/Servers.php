<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

use PHPUnit\Framework\Assert;

/**
 * Where tests/run.sh has started the two servers.
 */
final class Servers
{
    /** The real one: Django and django-rest-knox. */
    public static function knox(): string
    {
        return self::url('TPS_TEST_SERVER');
    }

    /** The one that misbehaves: the path says what it does. */
    public static function faults(): string
    {
        return self::url('TPS_TEST_FAULTS');
    }

    private static function url(string $variable): string
    {
        $url = getenv($variable);
        if ($url === false || $url === '') {
            Assert::fail("$variable is not set: these tests need two servers, which tests/run.sh starts.");
        }

        return rtrim($url, '/');
    }
}
