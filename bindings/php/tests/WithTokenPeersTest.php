<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Psr7\Request;
use GuzzleHttp\Psr7\Response;
use PHPUnit\Framework\TestCase;
use Psr\Http\Message\ResponseInterface;
use Symfony\Component\HttpClient\HttpClient;
use TPS\Client;
use TPS\Exception\TokenRejectedException;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Rejecting;

/**
 * withToken() with the HTTP libraries as they come: each reports a rejected token in its own way.
 */
final class WithTokenPeersTest extends TestCase
{
    use Rejecting;

    public static function setUpBeforeClass(): void
    {
        require_once 'Symfony/Component/HttpClient/autoload.php';
        require_once 'Illuminate/Http/autoload.php';
        require_once 'React/Promise/autoload.php';
        require_once 'Http/Client/autoload.php';
        require_once __DIR__ . '/Support/Hosts/php-http.php';
        require_once __DIR__ . '/Support/Hosts/wordpress-http.php';
    }

    /**
     * @dataProvider ways
     */
    public function testARevokedTokenCostsOneRetryAndOneLogin(callable $way): void
    {
        $this->assertOneRetry($way);
    }

    /**
     * @return array<string, array{callable(Client, string): string}>
     */
    public static function ways(): array
    {
        $name = static fn (mixed $json): string => json_decode((string) $json, true)['results'][0]['name'];
        $headers = static fn (string $token): array => ['headers' => ['Authorization' => "Token $token"]];

        return [
            'Guzzle, which throws' => [static fn (Client $client, string $url): string => $name(
                $client->withToken(static fn (string $token) => (new Guzzle())->get($url, $headers($token))->getBody()),
            )],
            'Guzzle, an exception around its own' => [static fn (Client $client, string $url): string => $name(
                $client->withToken(static function (string $token) use ($url, $headers) {
                    try {
                        return (new Guzzle())->get($url, $headers($token))->getBody();
                    } catch (\Exception $exception) {
                        throw new \DomainException('no list', 0, $exception);
                    }
                }),
            )],
            'Guzzle, a promise that is rejected' => [static fn (Client $client, string $url): string => $name(
                $client->withToken(static fn (string $token) => (new Guzzle())->getAsync($url, $headers($token)))
                    ->wait()->getBody(),
            )],
            'Guzzle, a promise of a response' => [static fn (Client $client, string $url): string => $name(
                $client->withToken(static fn (string $token) =>
                    (new Guzzle(['http_errors' => false]))->getAsync($url, $headers($token)))->wait()->getBody(),
            )],
            'Symfony, toArray()' => [static fn (Client $client, string $url): string =>
                $client->withToken(static fn (string $token): array =>
                    HttpClient::create()->request('GET', $url, $headers($token))->toArray())['results'][0]['name']],
            'Symfony, a response' => [static fn (Client $client, string $url): string =>
                $client->withToken(static fn (string $token) =>
                    HttpClient::create()->request('GET', $url, $headers($token)))->toArray()['results'][0]['name']],
            'Laravel, a response' => [static fn (Client $client, string $url): string =>
                $client->withToken(static fn (string $token) =>
                    (new \Illuminate\Http\Client\Factory())->withHeaders($headers($token)['headers'])->get($url))
                    ->json('results.0.name')],
            'Laravel, throw()' => [static fn (Client $client, string $url): string =>
                $client->withToken(static fn (string $token) =>
                    (new \Illuminate\Http\Client\Factory())->withHeaders($headers($token)['headers'])->get($url)->throw())
                    ->json('results.0.name')],
            'Laravel, async()' => [static fn (Client $client, string $url): string =>
                $client->withToken(static fn (string $token) =>
                    (new \Illuminate\Http\Client\Factory())->withHeaders($headers($token)['headers'])->async()->get($url))
                    ->wait()->json('results.0.name')],
            "WordPress's array" => [static fn (Client $client, string $url): string => $name(
                $client->withToken(static fn (string $token) => wp_remote_get($url, $headers($token)))['body'],
            )],
            'React, a promise' => [static function (Client $client, string $url) use ($name, $headers): string {
                $send = static fn (string $token) => \React\Promise\resolve(
                    (new Guzzle(['http_errors' => false]))->get($url, $headers($token)),
                );
                $client->withToken($send)->then(static function (ResponseInterface $answer) use (&$body): void {
                    $body = $answer->getBody();
                });

                return $name($body);
            }],
            'php-http, a promise' => [static fn (Client $client, string $url): string => $name(
                $client->withToken(static fn (string $token) => new \Http\Client\Promise\HttpFulfilledPromise(
                    (new Guzzle(['http_errors' => false]))->get($url, $headers($token)),
                ))->wait()->getBody(),
            )],
        ];
    }

    /** In a promise too: the second answer is the caller's, and what says nothing against the token passes. */
    public function testPromises(): void
    {
        $rejected = new Response(401, [], '{"detail":"Invalid token."}');
        $client = new FakeClient(['one', 'two', 'three']);
        $tried = [];
        $answer = $client->withToken(static function (string $token) use ($rejected, &$tried) {
            $tried[] = $token;

            return \GuzzleHttp\Promise\Create::promiseFor($rejected);
        })->wait();
        self::assertSame([$rejected, ['one', 'two']], [$answer, $tried]);

        $failure = new \RuntimeException('no route to host');
        $promise = $client->withToken(static fn () => \GuzzleHttp\Promise\Create::rejectionFor($failure));
        try {
            $promise->wait();
            self::fail('nothing was thrown');
        } catch (\RuntimeException $exception) {
            self::assertSame($failure, $exception);
        }
        $promise = $client->withToken(static fn () => \GuzzleHttp\Promise\Create::rejectionFor('a text'));
        $promise->then(null, static function (mixed $reason) use (&$seen): void {
            $seen = $reason;
        })->wait();
        self::assertSame('a text', $seen);
        self::assertSame(['one'], $client->rejected());
    }

    public function testThePackagesOwnExceptionInAPromise(): void
    {
        $client = new FakeClient(['one', 'two']);
        $outcome = $client->withToken(static fn (string $token) => $token === 'one'
            ? \GuzzleHttp\Promise\Create::rejectionFor(new TokenRejectedException())
            : \GuzzleHttp\Promise\Create::promiseFor($token))->wait();

        self::assertSame('two', $outcome);
    }

    /**
     * @dataProvider arrays
     */
    public function testWordPressArrays(bool $rejected, array $answer): void
    {
        $client = new FakeClient(['one', 'two']);
        $client->withToken(static fn () => $answer);

        self::assertSame($rejected ? ['one'] : [], $client->rejected());
    }

    /**
     * @return array<string, array{bool, array<string, mixed>}>
     */
    public static function arrays(): array
    {
        $of = static fn (int $status, string $body, array $headers = []): array => [
            'headers' => new \ArrayObject($headers),
            'body' => $body,
            'response' => ['code' => $status, 'message' => ''],
            'cookies' => [],
            'filename' => null,
            'http_response' => new \stdClass(),
        ];
        $invalid = '{"detail":"Invalid token."}';

        return [
            'invalid' => [true, $of(401, $invalid)],
            'invalid, to a session' => [true, $of(403, $invalid)],
            'translated' => [true, $of(401, '', ['www-authenticate' => 'Token'])],
            'several headers' => [true, $of(401, '', ['www-authenticate' => ['Basic', 'Token']])],
            'an account that is disabled' => [
                false,
                $of(401, '{"detail":"User inactive or deleted."}', ['www-authenticate' => 'Token']),
            ],
            'no permission' => [false, $of(403, '{"detail":"No."}')],
            'success' => [false, $of(200, $invalid)],
            'of another kind' => [false, ['response' => 401, 'body' => $invalid]],
            'of its body alone' => [false, ['detail' => 'Invalid token.']],
        ];
    }
}
