<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

use TPS\Client;

/**
 * A client whose token was revoked, and what that costs: one more login, and one request that the server let in.
 */
trait Rejecting
{
    private function assertOneRetry(callable $use): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $first = $client->token();
        $organization->revoke();
        $name = $use($client, Servers::knox() . '/api/v1/organizations/');

        self::assertSame($organization->name, $name);
        self::assertNotSame($first, $client->token());
        self::assertSame([2, 1], [$organization->count('logins'), $organization->count('api_calls')]);
    }
}
