<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\ThrottledException;
use TPS\Testing\Fake;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\TokenSource;

/**
 * The switch for a whole test suite.
 */
final class FakeInstallTest extends TestCase
{
    protected function tearDown(): void
    {
        Fake::uninstall();
    }

    public function testNoClientTouchesLibraryOrNetwork(): void
    {
        $child = Child::run(<<<'PHP'
            TPS\Testing\Fake::install(['one', 'two']);
            $client = new TPS\Client('a@example.com', 'b', 'c', ['base_url' => 'https://api.example.com']);
            $other = TPS\Client::login('a@example.com', 'b', 'c');
            $first = $client->token();
            $client->invalidate($first);
            echo json_encode([extension_loaded('ffi'), $first, $client->token(), $other->authorization(), $client->baseUrl(),
                $other->baseUrl(), $client->ready(0), $client->stats()['logins']], JSON_UNESCAPED_SLASHES);
            $client->logout();
            $client->close();
            PHP, flags: ['-n']);

        self::assertSame(
            '[false,"one","two","Token one","https://api.example.com","https://app.tpstreams.com",true,2]',
            $child->stdout,
        );
    }

    public function testAndBack(): void
    {
        Fake::install();
        $organization = Organization::make();
        self::assertSame('fake-token', $organization->login()->token());
        Fake::uninstall();
        self::assertSame(200, $organization->statusFor($organization->login()->token()));
        self::assertSame(1, $organization->count('logins'));
    }

    public function testItFailsAsTheScriptSays(): void
    {
        Fake::install(new ThrottledException('come back later', 429, retryAfter: 60.0));
        try {
            Client::login('a@example.com', 'b', 'c');
            self::fail('nothing was thrown');
        } catch (ThrottledException $exception) {
            self::assertSame(60.0, $exception->retryAfter);
        }
    }

    /**
     * @dataProvider refused
     *
     * @param array<string, mixed> $arguments
     */
    public function testWhatTheRealOneRefusesIsRefused(array $arguments): void
    {
        $arguments += ['username' => 'a@example.com', 'password' => 'b', 'organizationId' => 'c'];
        $calls = [Client::login(...), FakeClient::login(...)];
        self::assertRefused(Client::login(...), $arguments, 'the real one');
        Fake::install();
        foreach ($calls as $number => $call) {
            self::assertRefused($call, $arguments, "fake $number");
        }
    }

    /**
     * @return array<string, array{array<string, mixed>}>
     */
    public static function refused(): array
    {
        return [
            'an empty password' => [['password' => '']],
            'no password' => [['password' => null]],
            'a NUL' => [['username' => "a\0"]],
            'an unknown option' => [['options' => ['colour' => 'red']]],
            'a text for a number' => [['options' => ['timeout_ms' => '5']]],
            'a number for a text' => [['options' => ['cache' => 5]]],
            'less than nothing' => [['options' => ['logins_per_day' => -1]]],
            'another refresh_ahead' => [['options' => ['refresh_ahead' => 'never']]],
            'lazy' => [['options' => ['lazy' => true]]],
        ];
    }

    public function testBothAreTokenSources(): void
    {
        Fake::install();
        foreach ([new FakeClient(), new Client('a', 'b', 'c')] as $source) {
            self::assertInstanceOf(TokenSource::class, $source);
            self::assertSame('https://app.tpstreams.com', $source->baseUrl());
        }
    }

    /**
     * @param array<string, mixed> $arguments
     */
    private static function assertRefused(callable $call, array $arguments, string $which): void
    {
        try {
            $call(...$arguments);
        } catch (InvalidArgumentException) {
            self::assertTrue(true);

            return;
        }
        self::fail("$which has taken it");
    }
}
