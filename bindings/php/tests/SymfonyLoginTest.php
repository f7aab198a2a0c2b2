<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use Symfony\Component\HttpClient\HttpClient;
use Symfony\Component\HttpClient\MockHttpClient;
use Symfony\Component\HttpClient\Response\MockResponse;
use Symfony\Component\HttpClient\RetryableHttpClient;
use Symfony\Component\HttpClient\TraceableHttpClient;
use Symfony\Contracts\HttpClient\Exception\TransportExceptionInterface;
use Symfony\Contracts\HttpClient\HttpClientInterface;
use TPS\Client;
use TPS\Symfony\AuthorizedHttpClient;
use TPS\Symfony\TokenUnavailableException;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;
use TPS\Tests\Support\Throwing;

/**
 * TPS\Symfony\AuthorizedHttpClient while there is no token yet: it does not wait before it has to.
 */
final class SymfonyLoginTest extends TestCase
{
    use Throwing;

    public static function setUpBeforeClass(): void
    {
        require_once 'Symfony/Component/HttpClient/autoload.php';
    }

    public function testOtherTransfersGoOn(): void
    {
        $organization = Organization::make(['latency' => 3]);
        $client = $organization->client();
        $inner = HttpClient::create();
        $answer = (new AuthorizedHttpClient($inner, $client))->request('GET', '/api/v1/organizations/');
        self::assertSame([0, false], [$answer->getInfo('http_code'), $answer->getInfo('canceled')]);
        $other = '';
        foreach ($inner->stream($inner->request('GET', Servers::faults() . '/_count/nobody')) as $chunk) {
            $other .= $chunk->getContent();
        }

        self::assertStringContainsString('"logins"', $other);
        self::assertFalse($client->ready(0), 'the login has ended');
        self::assertSame(200, $answer->getStatusCode());
        self::assertSame(1, $organization->count('logins'));
    }

    public function testAStreamGivesOtherAnswers(): void
    {
        $organization = Organization::make(['latency' => 2]);
        $http = new AuthorizedHttpClient(HttpClient::create(), $organization->client());
        // No token goes there, so it does not wait.
        $elsewhere = Servers::faults() . '/_count/nobody';
        $answers = ['a' => '/api/v1/organizations/', 'b' => $elsewhere, 'c' => '/api/v1/organizations/', 'd' => $elsewhere];
        $answers = array_map(static fn (string $url) => $http->request('GET', $url), $answers);
        $ended = [];
        foreach ($http->stream($answers) as $answer => $chunk) {
            if ($chunk->isLast()) {
                $ended[] = array_search($answer, $answers, true);
            }
        }

        self::assertEqualsCanonicalizing(['b', 'd'], array_slice($ended, 0, 2));
        self::assertEqualsCanonicalizing(['a', 'c'], array_slice($ended, 2));
        self::assertSame([1, 2], [$organization->count('logins'), $organization->count('api_calls')]);
        self::assertNotSame([], $answers['a']->toArray());
    }

    /**
     * @dataProvider decorators
     *
     * @param callable(AuthorizedHttpClient): HttpClientInterface $decorate
     */
    public function testUnderADecorator(callable $decorate): void
    {
        $organization = Organization::make(['latency' => 1]);
        $http = $decorate(new AuthorizedHttpClient(HttpClient::create(), $organization->client()));
        $answers = [$http->request('GET', '/api/v1/organizations/'), $http->request('GET', '/api/v1/organizations/')];
        $ended = 0;
        foreach ($http->stream($answers) as $chunk) {
            $ended += (int) $chunk->isLast();
        }

        self::assertSame([2, 200, $answers[0]->toArray()], [$ended, $answers[1]->getStatusCode(), $answers[1]->toArray()]);
        self::assertSame([1, 2], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    /**
     * @return array<string, array{callable(AuthorizedHttpClient): HttpClientInterface}>
     */
    public static function decorators(): array
    {
        return [
            'retries' => [static fn ($http) => new RetryableHttpClient($http)],
            'a trace' => [static fn ($http) => new TraceableHttpClient($http)],
        ];
    }

    public function testAStreamsTimeout(): void
    {
        $organization = Organization::make(['latency' => 2]);
        $http = new AuthorizedHttpClient(HttpClient::create(), $organization->client());
        $answer = $http->request('GET', '/api/v1/organizations/');
        $timeouts = $ended = 0;
        while ($ended === 0) {
            foreach ($http->stream($answer, 0.1) as $chunk) {
                $chunk->isTimeout() ? $timeouts++ : $ended += (int) $chunk->isLast();
            }
        }
        self::assertGreaterThan(2, $timeouts);
        self::assertSame(200, $answer->getStatusCode());

        // A chunk that nobody looks at throws, as Symfony's.
        $waiting = new AuthorizedHttpClient(HttpClient::create(), Organization::make(['latency' => 2])->client());
        $this->assertThrows(TransportExceptionInterface::class, static fn () =>
            iterator_count($waiting->stream($waiting->request('GET', '/api/v1/organizations/'), 0.1)));
    }

    public function testRequestsAreSentTogether(): void
    {
        $sent = 0;
        $inner = new MockHttpClient(static function () use (&$sent): MockResponse {
            $sent++;

            return new MockResponse('{}');
        });
        $http = new AuthorizedHttpClient($inner, Organization::make(['latency' => 1])->client());
        $answers = array_map(static fn () => $http->request('GET', '/api/v1/organizations/'), range(1, 3));
        $answers[1]->cancel();
        self::assertSame(0, $sent);

        self::assertSame([200, 2], [$answers[2]->getStatusCode(), $sent]);
    }

    public function testALoginThatFailsMeanwhile(): void
    {
        $organization = Organization::make(['latency' => 1]);
        $client = new Client($organization->username, 'wrong', $organization->id, $organization::options());
        $http = new AuthorizedHttpClient(HttpClient::create(), $client);
        $answers = [$http->request('GET', '/api/v1/a'), $http->request('GET', '/api/v1/b')];
        $failures = [];
        foreach ($http->stream($answers) as $chunk) {
            $failures[] = $this->assertThrows(TransportExceptionInterface::class, $chunk->isLast(...))->getPrevious();
        }
        $failures[] = $this->assertThrows(TransportExceptionInterface::class, $answers[0]->getContent(...));

        self::assertSame(array_fill(0, 3, TokenUnavailableException::class), array_map(get_class(...), $failures));
        self::assertStringContainsString('refuse', $answers[1]->getInfo('error'));
        self::assertSame([1, 0], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    public function testAnAnswerThatNobodyReads(): void
    {
        $organization = Organization::make(['latency' => 1]);
        $http = new AuthorizedHttpClient(HttpClient::create(), $organization->client());
        $canceled = $http->request('GET', '/api/v1/organizations/');
        $canceled->cancel();
        self::assertTrue($canceled->getInfo('canceled'));
        $this->assertThrows(TransportExceptionInterface::class, $canceled->getStatusCode(...));
        unset($canceled);
        $http->request('GET', '/api/v1/organizations/');

        self::assertSame([1, 1], [$organization->count('logins'), $organization->count('api_calls')]);
    }
}
