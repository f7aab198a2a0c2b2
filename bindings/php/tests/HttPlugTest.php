<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Psr7\Request;
use Http\Client\Promise\HttpFulfilledPromise;
use Http\Promise\Promise;
use PHPUnit\Framework\TestCase;
use Psr\Http\Client\ClientExceptionInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Client;
use TPS\Exception\LoginBudgetException;
use TPS\HttPlug\AuthorizePlugin;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Rejecting;
use TPS\Tests\Support\Throwing;

/**
 * The plugin for php-http, with its real promises and Guzzle beneath.
 */
final class HttPlugTest extends TestCase
{
    use Rejecting;
    use Throwing;

    /** @var list<string> */
    private array $sent = [];

    public static function setUpBeforeClass(): void
    {
        require_once 'Http/Client/autoload.php';
        require_once __DIR__ . '/Support/Hosts/php-http.php';
    }

    public function testARevokedTokenCostsOneRetryAndOneLogin(): void
    {
        $this->assertOneRetry(fn (Client $client, string $url): string =>
            json_decode((string) $this->send(new AuthorizePlugin($client), $url)->wait()->getBody())->results[0]->name);
        self::assertCount(2, array_unique($this->sent));
    }

    public function testAnotherHostGetsNoHeader(): void
    {
        $this->send(new AuthorizePlugin(new FakeClient()), \TPS\Tests\Support\Servers::knox() . '/api/v1/organizations/');

        self::assertSame([''], $this->sent);
    }

    public function testNoTokenNoRequest(): void
    {
        $plugin = new AuthorizePlugin(new FakeClient(new LoginBudgetException('the budget is used up')));

        $this->expectException(ClientExceptionInterface::class);
        $this->send($plugin, 'https://app.tpstreams.com/');
    }

    public function testARequestDoesNotWaitForALogin(): void
    {
        $organization = Organization::make(['latency' => 2]);
        $client = $organization->client();
        $plugin = new AuthorizePlugin($client);
        $url = $client->baseUrl() . '/api/v1/organizations/';
        $first = $this->send($plugin, $url);
        $second = $this->send($plugin, $url)->then(static fn (ResponseInterface $answer) => $answer->withHeader('X-Seen', 'yes'));
        self::assertSame([Promise::PENDING, Promise::PENDING, []], [$first->getState(), $second->getState(), $this->sent]);
        self::assertFalse($client->ready(0), 'the login has ended');

        self::assertSame('yes', $second->wait()->getHeaderLine('X-Seen'));
        self::assertCount(2, $this->sent, 'they are sent together');
        self::assertSame([Promise::FULFILLED, 200], [$first->getState(), $first->wait()->getStatusCode()]);
        self::assertSame([1, 2], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    public function testAnAnswerThatNobodyWants(): void
    {
        $organization = Organization::make(['latency' => 1]);
        $client = $organization->client();
        $seen = 0;
        $plugin = new AuthorizePlugin($client);
        $this->send($plugin, $client->baseUrl() . '/api/v1/organizations/')
            ->then(static function (ResponseInterface $answer) use (&$seen): ResponseInterface {
                $seen = $answer->getStatusCode();

                return $answer;
            });

        self::assertSame([200, 1, 1], [$seen, $organization->count('logins'), $organization->count('api_calls')]);
    }

    public function testALoginThatFailsMeanwhile(): void
    {
        $organization = Organization::make(['latency' => 1]);
        $client = new Client($organization->username, 'wrong', $organization->id, $organization::options());
        $promise = $this->send(new AuthorizePlugin($client), $client->baseUrl() . '/api/v1/organizations/');
        $failure = null;
        $promise = $promise->then(null, static function (\Exception $exception) use (&$failure): never {
            throw $failure = $exception;
        });
        self::assertSame(Promise::PENDING, $promise->getState());
        $thrown = $this->assertThrows(ClientExceptionInterface::class, $promise->wait(...));

        self::assertSame([$failure, Promise::REJECTED, []], [$thrown, $promise->getState(), $this->sent]);
    }

    private function send(AuthorizePlugin $plugin, string $url): Promise
    {
        $next = function (RequestInterface $request): Promise {
            $this->sent[] = $request->getHeaderLine('Authorization');

            return new HttpFulfilledPromise((new Guzzle(['http_errors' => false]))->send($request));
        };

        return $plugin->handleRequest(new Request('GET', $url), $next, $next);
    }
}
