<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use Symfony\Component\HttpClient\HttpClient;
use Symfony\Component\HttpClient\MockHttpClient;
use Symfony\Component\HttpClient\Response\MockResponse;
use Symfony\Component\HttpClient\RetryableHttpClient;
use Symfony\Contracts\HttpClient\Exception\ClientExceptionInterface;
use Symfony\Contracts\HttpClient\Exception\TransportExceptionInterface;
use TPS\Exception\ThrottledException;
use TPS\Symfony\AuthorizedHttpClient;
use TPS\Symfony\TokenUnavailableException;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Http;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Rejecting;
use TPS\Tests\Support\Servers;
use TPS\Tests\Support\Throwing;

/**
 * TPS\Symfony\AuthorizedHttpClient with the real HTTP client of Symfony.
 */
final class SymfonyTest extends TestCase
{
    use Rejecting;
    use Throwing;

    private const OWN = 'https://app.tpstreams.com/api/v1/assets/';

    private const INVALID = '{"detail":"Invalid token."}';

    /** @var list<array{string, string, array<string, mixed>}> */
    private array $sent = [];

    public static function setUpBeforeClass(): void
    {
        require_once 'Symfony/Component/HttpClient/autoload.php';
    }

    /**
     * @dataProvider reading
     */
    public function testARevokedTokenCostsOneRetryAndOneLogin(callable $read): void
    {
        $this->assertOneRetry(static fn ($client, string $url): string =>
            $read(new AuthorizedHttpClient(HttpClient::create(), $client), $url)['results'][0]['name']);
    }

    /**
     * @return array<string, array{callable(AuthorizedHttpClient, string): array<string, mixed>}>
     */
    public static function reading(): array
    {
        return [
            'toArray()' => [static fn ($http, $url) => $http->request('GET', $url)->toArray()],
            'getContent()' => [static fn ($http, $url) => json_decode($http->request('GET', $url)->getContent(), true)],
            'a status first' => [static function ($http, $url) {
                $answer = $http->request('GET', $url);
                self::assertSame(200, $answer->getStatusCode());

                return $answer->toArray();
            }],
            'stream()' => [static function ($http, $url) {
                $text = '';
                foreach ($http->stream($http->request('GET', $url, ['buffer' => false])) as $chunk) {
                    $text .= $chunk->getContent();
                }

                return json_decode($text, true);
            }],
            'into a file' => [static function ($http, $url) {
                $file = tmpfile();
                $http->request('GET', $url, ['buffer' => $file])->getContent();
                rewind($file);

                return json_decode(stream_get_contents($file), true);
            }],
            'a relative URL' => [static fn ($http, $url) => $http->request('GET', '/api/v1/organizations/')->toArray()],
            'retries around it' => [static fn ($http, $url) => (new RetryableHttpClient($http))->request('GET', $url)->toArray()],
            'options of its own' => [
                static fn ($http, $url) => $http->withOptions(['headers' => ['X-A' => 'b']])->request('GET', $url)->toArray(),
            ],
        ];
    }

    public function testManyAtOnce(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $organization->revoke();
        $http = new AuthorizedHttpClient(HttpClient::create(), $client);
        $answers = array_map(static fn () => $http->request('GET', '/api/v1/organizations/'), range(1, 8));
        $done = 0;
        foreach ($http->stream($answers) as $chunk) {
            $done += $chunk->isLast() ? 1 : 0;
        }

        self::assertSame([8, 2, 8], [$done, $organization->count('logins'), $organization->count('api_calls')]);
    }

    public function testNoThirdTime(): void
    {
        $client = new FakeClient(['one', 'two', 'three']);
        $http = $this->http($client, array_fill(0, 9, [self::INVALID, 401]));
        $answer = $http->request('GET', self::OWN);

        self::assertSame([401, self::INVALID], [$answer->getStatusCode(), $answer->getContent(false)]);
        self::assertSame(['Token one', 'Token two'], $this->authorizations());
        self::assertSame(['one'], $client->rejected());
    }

    public function testOtherAnswersAreTheCallers(): void
    {
        $answers = [['{"detail":"User inactive or deleted."}', 401], ['{"detail":"No."}', 403], ['x', 404], ['', 500]];
        $client = new FakeClient(['one', 'two']);
        $http = $this->http($client, $answers);
        foreach ($answers as [$body, $status]) {
            $answer = $http->request('GET', self::OWN);
            self::assertSame([$status, $body], [$answer->getStatusCode(), $answer->getContent(false)]);
        }
        $this->assertThrows(ClientExceptionInterface::class, fn () => $this->http($client, $answers)
            ->request('GET', self::OWN)->getContent());
        self::assertSame([], $client->rejected());
    }

    public function testOnlyTheOwnOriginGetsTheHeader(): void
    {
        $http = $this->http(new FakeClient('one'), array_fill(0, 9, ['{}', 200]));
        foreach ([self::OWN, 'https://app.tpstreams.com:8443/', 'http://app.tpstreams.com/', 'https://example.com/'] as $url) {
            $http->request('GET', $url)->getContent();
        }
        $http->request('GET', '/x', ['base_uri' => 'https://example.com'])->getContent();
        $http->withOptions(['base_uri' => 'https://example.com'])->request('GET', '/x')->getContent();
        $http->request('GET', '/x', ['headers' => ['authorization' => 'Token stale']])->getContent();

        self::assertSame(['Token one', null, null, null, null, null, 'Token one'], $this->authorizations());
        self::assertSame('https://app.tpstreams.com/x', $this->sent[6][1]);
    }

    /**
     * @dataProvider redirects
     */
    public function testAlongNoRedirectToAnotherOrigin(string $location, ?string $authorization, string $url): void
    {
        $http = $this->http(new FakeClient('one'), [
            ['', 302, ['Location' => $location]],
            ['{"detail":"Invalid token."}', $authorization === null ? 401 : 200],
        ]);
        $http->request('POST', self::OWN . '?a=b', ['body' => 'x'])->getContent(false);

        self::assertSame([$url, ['Token one', $authorization]], [$this->sent[1][1], $this->authorizations()]);
        self::assertSame('GET', $this->sent[1][0]);
        self::assertCount(2, $this->sent);
    }

    /**
     * @return array<string, array{string, ?string, string}>
     */
    public static function redirects(): array
    {
        return [
            'another host' => ['https://cdn.example.com/a', null, 'https://cdn.example.com/a'],
            'another port' => ['https://app.tpstreams.com:8443/a', null, 'https://app.tpstreams.com:8443/a'],
            'another scheme' => ['http://app.tpstreams.com/a', null, 'http://app.tpstreams.com/a'],
            'without a scheme' => ['//cdn.example.com/a', null, 'https://cdn.example.com/a'],
            'a path' => ['/b', 'Token one', 'https://app.tpstreams.com/b'],
            'a relative path' => ['c', 'Token one', 'https://app.tpstreams.com/api/v1/assets/c'],
            'a query' => ['?d=e', 'Token one', self::OWN . '?d=e'],
        ];
    }

    public function testARealRedirectToAnotherHost(): void
    {
        $key = bin2hex(random_bytes(8));
        $http = new AuthorizedHttpClient(HttpClient::create(), new FakeClient(baseUrl: Servers::faults()));
        $http->request('GET', Servers::faults() . "/organizations-redirect302/$key/api/v1/organizations/")->getContent(false);

        [$first, $second] = Http::request('GET', Servers::faults() . "/_count/$key")[1]['log'];
        self::assertSame('Token fake-token', $first['headers']['authorization']);
        self::assertArrayNotHasKey('authorization', $second['headers']);
    }

    public function testABodyThatCanBeReadOnceIsNotSentAgain(): void
    {
        $client = new FakeClient(['one', 'two']);
        $http = $this->http($client, array_fill(0, 2, [self::INVALID, 401]));
        $parts = ['a', '', 'never'];
        $body = static function (int $size) use (&$parts): string {
            return array_shift($parts);
        };

        self::assertSame(401, $http->request('POST', self::OWN, ['body' => $body])->getStatusCode());
        self::assertSame([['one'], 1], [$client->rejected(), count($this->sent)]);
        foreach ([['body' => 'text'], ['json' => ['a' => 1]], ['body' => ['a' => '1']]] as $options) {
            $http = $this->http(new FakeClient(['one', 'two']), [[self::INVALID, 401], ['{}', 200]]);
            self::assertSame(200, $http->request('POST', self::OWN, $options)->getStatusCode());
            self::assertSame($this->sent[0][2]['body'], $this->sent[1][2]['body']);
        }
    }

    public function testNoTokenIsSymfonysException(): void
    {
        $reason = new ThrottledException('come back later', 429, retryAfter: 60.0);
        $exception = $this->assertThrows(TransportExceptionInterface::class, fn () => $this->http(new FakeClient($reason), [])
            ->request('GET', self::OWN));
        self::assertInstanceOf(TokenUnavailableException::class, $exception);
        self::assertSame([60.0, 429, $reason], [$exception->retryAfter, $exception->httpStatus, $exception->getPrevious()]);

        $client = new FakeClient(['one', $reason]);
        $answer = $this->http($client, [[self::INVALID, 401]])->request('GET', self::OWN);
        $this->assertThrows(TransportExceptionInterface::class, static fn () => $answer->getStatusCode());
    }

    /**
     * @param list<array{string, int, 2?: array<string, string>}> $answers
     */
    private function http(FakeClient $client, array $answers): AuthorizedHttpClient
    {
        $this->sent = [];
        $mock = new MockHttpClient(function (string $method, string $url, array $options) use (&$answers): MockResponse {
            $this->sent[] = [$method, $url, $options];
            [$body, $status] = $answers[0];
            $headers = $answers[0][2] ?? [];
            array_shift($answers);

            return new MockResponse($body, ['http_code' => $status, 'response_headers' => $headers]);
        });

        return new AuthorizedHttpClient($mock, $client);
    }

    /**
     * @return list<string|null>
     */
    private function authorizations(): array
    {
        return array_map(static function (array $request): ?string {
            $lines = $request[2]['normalized_headers']['authorization'] ?? [];

            return $lines === [] ? null : substr($lines[0], strlen('Authorization: '));
        }, $this->sent);
    }
}
