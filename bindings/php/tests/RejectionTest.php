<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Tests\Support\Organization;

/**
 * invalidate() and logout().
 */
final class RejectionTest extends TestCase
{
    public function testARejectedTokenIsReplacedOnce(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $other = $organization->login();
        $first = $client->token();
        self::assertSame($first, $other->token());

        $organization->revoke();
        $client->invalidate($first);
        $second = $client->token();

        self::assertNotSame($first, $second);
        self::assertSame($second, $other->token());
        self::assertSame(200, $organization->statusFor($second));
        self::assertSame(2, $organization->count('logins'));
    }

    public function testALateRejectionOfAnOlderTokenChangesNothing(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $first = $client->token();
        $organization->revoke();
        $client->invalidate($first);
        $second = $client->token();

        for ($i = 0; $i < 9; $i++) {
            $client->invalidate($first);
            self::assertSame($second, $client->token());
        }
        $client->invalidate('never-heard-of');
        self::assertSame($second, $client->token());
        self::assertSame(2, $organization->count('logins'));
    }

    public function testLogoutRevokesTheTokenAndTheClientStaysUsable(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $first = $client->token();
        $client->logout();

        self::assertSame(401, $organization->statusFor($first));
        self::assertSame(1, $organization->count('logouts'));
        self::assertSame(1, $organization->count('logins'));

        $second = $client->token();
        self::assertNotSame($first, $second);
        self::assertSame(200, $organization->statusFor($second));
        self::assertSame(2, $organization->count('logins'));
    }

    public function testLogoutOfATokenThatIsGoneAlready(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $first = $client->token();
        $organization->revoke();
        $client->logout();

        self::assertNotSame($first, $client->token());
        self::assertSame(2, $organization->count('logins'));
    }
}
