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
use TPS\Client;
use TPS\Exception\LoginBudgetException;
use TPS\HttPlug\AuthorizePlugin;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Rejecting;

/**
 * The plugin for php-http, with its real promises and Guzzle beneath.
 */
final class HttPlugTest extends TestCase
{
    use Rejecting;

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

    private function send(AuthorizePlugin $plugin, string $url): Promise
    {
        $next = function (RequestInterface $request): Promise {
            $this->sent[] = $request->getHeaderLine('Authorization');

            return new HttpFulfilledPromise((new Guzzle(['http_errors' => false]))->send($request));
        };

        return $plugin->handleRequest(new Request('GET', $url), $next, $next);
    }
}
