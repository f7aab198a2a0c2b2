<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\TpsException;
use TPS\Status;
use TPS\Tests\Support\Organization;

/**
 * Every fault of an argument is reported before anything is sent, and named.
 */
final class ArgumentTest extends TestCase
{
    private const BAD_TEXTS = [
        'empty' => ['', 'empty'],
        'not UTF-8' => ["caf\xE9", 'UTF-8'],
        'half a character' => ["caf\xC3", 'UTF-8'],
        'NUL at the end' => ["secret\0", 'NUL'],
        'NUL inside' => ["sec\0ret", 'NUL'],
    ];

    private Organization $organization;

    protected function setUp(): void
    {
        $this->organization = Organization::make();
    }

    /**
     * @dataProvider badCredentials
     */
    public function testCredentials(string $argument, ?string $value, string $reason): void
    {
        $this->assertRefused($argument, $reason, [$argument => $value]);
    }

    /**
     * @return iterable<string, array{string, ?string, string}>
     */
    public static function badCredentials(): iterable
    {
        foreach (['username', 'password', 'organizationId'] as $argument) {
            foreach (self::BAD_TEXTS as $name => [$value, $reason]) {
                yield "$argument: $name" => [$argument, $value, $reason];
            }
        }
    }

    /**
     * @dataProvider badOptions
     *
     * @param array<int|string, mixed> $options
     */
    public function testOptions(string $name, array $options, string $reason = ''): void
    {
        $this->assertRefused($name, $reason, ['options' => Organization::options($options)]);
    }

    /**
     * @return iterable<string, array>
     */
    public static function badOptions(): iterable
    {
        yield 'unknown' => ['colour', ['colour' => 'red'], 'timeout_ms'];
        yield 'in the wrong case' => ['TIMEOUT_MS', ['TIMEOUT_MS' => 1000]];
        yield 'without a name' => ['options', ['memory'], '0'];
        yield 'with an empty name' => ['option', ['' => 'x'], 'empty'];
        yield 'with a NUL in its name' => ['option', ["\0cache" => 'x'], 'NUL'];
        yield 'with a name that is not UTF-8' => ['option', ["caf\xE9" => 'x'], 'UTF-8'];
        yield 'lazy' => ['lazy', ['lazy' => true]];
        foreach (['base_url', 'cache', 'ca_file', 'proxy', 'token', 'user_agent'] as $name) {
            yield "$name: a number" => [$name, [$name => 5]];
            yield "$name: a list" => [$name, [$name => []]];
            yield "$name: not UTF-8" => [$name, [$name => "caf\xE9"], 'UTF-8'];
            yield "$name: NUL" => [$name, [$name => "a\0b"], 'NUL'];
        }
        foreach (['timeout_ms', 'connect_timeout_ms', 'logins_per_day'] as $name) {
            yield "$name: a string" => [$name, [$name => '1500']];
            yield "$name: a fraction" => [$name, [$name => 1.5]];
            yield "$name: negative" => [$name, [$name => -1]];
            yield "$name: a boolean" => [$name, [$name => true]];
            yield "$name: not a number" => [$name, [$name => NAN], 'JSON'];
        }
        yield 'cache: unknown' => ['cache', ['cache' => 'nonsense']];
        yield 'cache: empty' => ['cache', ['cache' => '']];
        yield 'refresh_ahead: negative' => ['refresh_ahead', ['refresh_ahead' => -5]];
        yield 'token: a line end' => ['token', ['token' => "a\r\nb"]];
        yield 'base_url: a foreign host without TLS' => ['base_url', ['base_url' => 'http://example.com'], 'https'];
        yield 'base_url: user info' => ['base_url', ['base_url' => 'https://a:b@example.com']];
        yield 'base_url: a query' => ['base_url', ['base_url' => 'https://example.com/?a=b']];
        yield 'base_url: a fragment' => ['base_url', ['base_url' => 'https://example.com/#a']];
        yield 'base_url: another scheme' => ['base_url', ['base_url' => 'ftp://example.com']];
        yield 'base_url: no URL' => ['base_url', ['base_url' => 'example']];
    }

    public function testNullMeansThatAnOptionIsNotGiven(): void
    {
        $this->organization->login(['timeout_ms' => null, 'token' => null, 'proxy' => null]);
        self::assertSame(1, $this->organization->count('logins'));
    }

    public function testFromEnvironmentNamesWhatIsMissing(): void
    {
        putenv('TPS_USERNAME=somebody@example.com');
        try {
            $this->expectException(InvalidArgumentException::class);
            $this->expectExceptionMessage('TPS_PASSWORD');
            Client::fromEnvironment();
        } finally {
            putenv('TPS_USERNAME');
        }
    }

    /**
     * @dataProvider badTexts
     */
    public function testInvalidate(string $token, string $reason): void
    {
        $client = $this->organization->login();
        $before = $client->token();
        try {
            $client->invalidate($token);
            self::fail('nothing was thrown');
        } catch (InvalidArgumentException $exception) {
            self::assertStringContainsString('token', $exception->getMessage());
            self::assertStringContainsString($reason, $exception->getMessage());
        }
        self::assertSame($before, $client->token());
        self::assertSame(0, $this->organization->count('api_calls'));
    }

    /**
     * @return array<string, array{string, string}>
     */
    public static function badTexts(): array
    {
        return self::BAD_TEXTS;
    }

    /**
     * @param array<string, mixed> $arguments in place of the right ones
     */
    private function assertRefused(string $name, string $reason, array $arguments): void
    {
        $right = $this->organization->credentials() + ['options' => Organization::options()];
        foreach ([Client::login(...), static fn (mixed ...$all) => new Client(...$all)] as $call) {
            try {
                $call(...$arguments + $right);
                self::fail('nothing was thrown');
            } catch (TpsException $exception) {
                self::assertInstanceOf(InvalidArgumentException::class, $exception, $exception->getMessage());
            }
            self::assertSame(Status::InvalidArgument, $exception->status);
            self::assertNull($exception->httpStatus);
            self::assertSame(0.0, $exception->retryAfter);
            self::assertStringContainsString($name, $exception->getMessage());
            self::assertStringContainsString($reason, $exception->getMessage());
            self::assertStringNotContainsString("\n", $exception->getMessage());
            self::assertStringNotContainsString($this->organization->password, $exception->getMessage());
        }
        self::assertSame(0, $this->organization->count('logins'));
    }
}
