<?php

declare(strict_types=1);

namespace TPS;

use Psr\Log\LoggerInterface;

/**
 * The logger of all clients that have none of their own.
 */
final class Logging
{
    private static ?LoggerInterface $logger = null;

    /**
     * Sends the events of all clients to a logger of PSR-3: logins, rejected tokens, hold-offs and so on, without secrets.
     *
     * @param LoggerInterface|null $logger null: log nothing
     */
    public static function to(?LoggerInterface $logger): void
    {
        self::$logger = $logger;
    }

    /** The logger that to() was given. */
    public static function logger(): ?LoggerInterface
    {
        return self::$logger;
    }
}
