<?php

declare(strict_types=1);

namespace TPS;

/**
 * This package, and the one that a site has installed: with opcache.preload these may be two.
 */
final class Package
{
    /** The version of these classes. */
    public const VERSION = '0.2.0';

    private static string $expected = self::VERSION;

    private static string $place = '';

    /**
     * Says which version a site has installed. version.php of each package does.
     *
     * @internal
     */
    public static function expect(string $version, string $place): void
    {
        [self::$expected, self::$place] = [$version, $place];
    }

    /**
     * Why these classes cannot serve this site: it has a newer package than the one that was preloaded.
     *
     * @return string|null one line, with what to type; null: they can
     *
     * @internal
     */
    public static function outdated(): ?string
    {
        if (version_compare(self::VERSION, self::$expected, '>=')) {
            return null;
        }

        return 'tps/tps ' . self::$expected . ' is installed here, but PHP has preloaded ' . self::VERSION . ' from '
            . dirname(__DIR__) . '. Run `' . self::$place . '/bin/tps-preload ' . dirname(__DIR__)
            . '` and restart PHP-FPM.';
    }
}
