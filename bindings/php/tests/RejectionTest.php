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
    /**
     * @dataProvider lives
     */
    public function testARejectedTokenIsReplacedOnce(?int $life): void
    {
        $organization = Organization::make(['token_life' => $life]);
        $client = $organization->login();
        $other = $organization->login();
        $first = $client->token();
        self::assertSame($first, $other->token());

        $organization->revoke();
        // Asked for just now.
        $other->token();
        $client->invalidate($first);

        $second = $other->token();
        self::assertNotSame($first, $second);
        self::assertSame($second, $client->token());
        self::assertSame(200, $organization->statusFor($second));
        self::assertSame(2, $organization->count('logins'));
    }

    /**
     * @return array<string, array{int|null}>
     */
    public static function lives(): array
    {
        return ['tokens for ever' => [null], 'tokens that expire' => [36_000]];
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

    /**
     * @dataProvider lives
     */
    public function testLogoutRevokesTheTokenAndTheClientStaysUsable(?int $life): void
    {
        $organization = Organization::make(['token_life' => $life]);
        $client = $organization->login();
        $other = $organization->login();
        $client->token();
        $first = $other->token();
        $client->logout();

        self::assertSame(401, $organization->statusFor($first));
        self::assertSame(1, $organization->count('logouts'));
        self::assertSame(1, $organization->count('logins'));

        $second = $other->token();
        self::assertNotSame($first, $second);
        self::assertSame($second, $client->token());
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
