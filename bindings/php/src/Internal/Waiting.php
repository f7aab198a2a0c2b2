<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Client;
use TPS\Exception\TpsException;
use TPS\TokenSource;

/**
 * Requests that wait for a login. Once one of them is sent all are, so that they are under way at the same time.
 *
 * @internal
 */
final class Waiting
{
    /** @var \WeakMap<Client, \WeakMap<Deferred, true>>|null */
    private static ?\WeakMap $requests = null;

    /**
     * The client, if a request has to wait for its login.
     *
     * @throws TpsException why there will be no token
     */
    public static function client(TokenSource $source): ?Client
    {
        return $source instanceof Client && !$source->ready(0) ? $source : null;
    }

    public static function add(Client $client, Deferred $request): void
    {
        self::$requests ??= new \WeakMap();
        self::$requests[$client] ??= new \WeakMap();
        self::$requests[$client][$request] = true;
    }

    /** One was sent: there is a token. */
    public static function sendAll(Client $client): void
    {
        $requests = self::$requests[$client] ?? [];
        unset(self::$requests[$client]);
        foreach ($requests as $request => $_) {
            $request->begin();
        }
    }
}
