<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\NetworkException;
use TPS\Exception\ThrottledException;
use TPS\Exception\TpsException;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;

final class FakeClientTest extends TestCase
{
    public function testItIsAClient(): void
    {
        $client = new FakeClient('one');

        self::assertInstanceOf(Client::class, $client);
        self::assertSame('one', (static fn (Client $client): string => $client->token())($client));
        self::assertSame('Token one', $client->authorization());
    }

    public function testItNeedsNoExtension(): void
    {
        $child = Child::run(<<<'PHP'
            $client = new TPS\Testing\FakeClient(['one', 'two']);
            $tried = [];
            $client->withToken(function (string $token) use (&$tried) { $tried[] = $token; return 401; });
            $client->logout();
            echo implode(' ', $tried), ' ', extension_loaded('ffi') ? 'FFI' : 'no FFI', ' ', $client->stats()['logins'];
            $client->close();
            PHP, flags: ['-n']);

        self::assertSame([0, 'one two no FFI 2', ''], [$child->exitCode, $child->stdout, $child->stderr]);
    }

    public function testTokensFollowOneAnotherAndTheLastOneStays(): void
    {
        $client = new FakeClient(['one', 'two', 'three']);
        self::assertSame(['one', 'one'], [$client->token(), $client->token()]);
        $client->invalidate('one');
        self::assertSame('two', $client->token());
        $client->invalidate('one');
        self::assertSame('two', $client->token(), 'a late rejection changes nothing');
        $client->logout();
        self::assertSame('three', $client->token());
        $client->invalidate('three');
        self::assertSame('three', $client->token());
        self::assertSame(['one', 'three'], $client->rejected());
    }

    public function testExceptionsAreThrownOnceAndTheLastOneAlways(): void
    {
        $client = new FakeClient([new NetworkException('no route to host'), 'one', new ThrottledException('', 429, retryAfter: 60.0)]);
        self::assertSame('no route to host', self::thrownBy($client)?->getMessage());
        self::assertSame('one', $client->token());
        $client->invalidate('one');
        for ($i = 0; $i < 3; $i++) {
            self::assertSame(60.0, self::thrownBy($client)?->retryAfter);
        }
    }

    public function testStatsAreAsTheLibrarys(): void
    {
        $organization = Organization::make();
        $real = $organization->login();
        $fake = new FakeClient([$real->token(), 'two', new NetworkException()], $real->stats()['base_url']);
        self::assertSame(self::keys(Organization::make()->client()->stats()), self::keys($fake->stats()));

        $fake->token();
        self::assertSame(self::keys($real->stats()), self::keys($fake->stats()));
        self::assertSame($real->stats()['token']['fingerprint'], $fake->stats()['token']['fingerprint']);
        self::assertSame($real->stats()['base_url'], $fake->stats()['base_url']);
        $fake->invalidate($fake->token());
        $fake->token();
        $fake->invalidate('two');
        self::thrownBy($fake);
        $counts = array_intersect_key($fake->stats(), ['hits' => 0, 'logins' => 0, 'logins_failed' => 0, 'invalidations' => 0]);
        self::assertSame(['hits' => 1, 'logins' => 2, 'logins_failed' => 1, 'invalidations' => 2], $counts);
        self::assertSame(['first' => 1, 'ended' => 0, 'renewed' => 0, 'rejected' => 1], $fake->stats()['logins_by_reason']);
    }

    public function testTheWaysToMakeOne(): void
    {
        foreach ([FakeClient::login('a@example.com', 'b', 'c'), FakeClient::fromEnvironment(), new FakeClient()] as $client) {
            self::assertInstanceOf(FakeClient::class, $client);
            self::assertSame('fake-token', $client->token());
        }
    }

    /**
     * @dataProvider badScripts
     */
    public function testBadScripts(mixed $token, string $reason): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage($reason);
        new FakeClient($token);
    }

    /**
     * @return array<string, array{mixed, string}>
     */
    public static function badScripts(): array
    {
        return [
            'empty' => ['', 'token is empty'],
            'nothing' => [[], 'empty list'],
            'one of them' => [['one', "t\0"], 'NUL'],
        ];
    }

    public function testInvalidateChecksAsTheRealOne(): void
    {
        $this->expectException(InvalidArgumentException::class);
        (new FakeClient())->invalidate('');
    }

    private static function thrownBy(FakeClient $client): ?TpsException
    {
        try {
            $client->token();
        } catch (TpsException $exception) {
            return $exception;
        }

        return null;
    }

    /**
     * @param array<string, mixed> $stats
     *
     * @return array<string, mixed>
     */
    private static function keys(array $stats): array
    {
        ksort($stats);
        // A list, such as that of events, may hold any number.
        $shape = static fn (mixed $value): mixed => is_array($value) && !array_is_list($value) ? self::keys($value) : null;

        return array_map($shape, $stats);
    }
}
