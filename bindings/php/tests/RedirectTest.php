<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Psr7\Request;
use GuzzleHttp\Psr7\Response;
use PHPUnit\Framework\TestCase;
use TPS\Guzzle\Authorize;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Http;
use TPS\Tests\Support\Sender;
use TPS\Tests\Support\Servers;

/**
 * The header goes along no redirect to another host.
 */
final class RedirectTest extends TestCase
{
    /**
     * @dataProvider redirects
     */
    public function testToAnotherHost(int $status, string $order): void
    {
        $key = bin2hex(random_bytes(8));
        $client = new FakeClient(baseUrl: Servers::faults());
        $stack = HandlerStack::create();
        $stack->$order(new Authorize($client));
        $guzzle = new Guzzle(['handler' => $stack, 'http_errors' => false]);
        $guzzle->get(Servers::faults() . "/organizations-redirect$status/$key/api/v1/organizations/");

        [, $counts] = Http::request('GET', Servers::faults() . "/_count/$key");
        [$first, $second] = $counts['log'];
        self::assertSame('Token fake-token', $first['headers']['authorization']);
        self::assertSame("GET /elsewhere/$key/api/v1/organizations/ HTTP/1.1", $second['line']);
        self::assertStringStartsWith('127.0.0.2:', $second['headers']['host']);
        self::assertArrayNotHasKey('authorization', $second['headers']);
        self::assertStringNotContainsString('fake-token', json_encode($second));
    }

    /**
     * @return iterable<string, array{int, string}>
     */
    public static function redirects(): iterable
    {
        foreach ([301, 302, 307, 308] as $status) {
            yield "$status" => [$status, 'push'];
        }
        yield 'the middleware in the wrong place' => [302, 'unshift'];
    }

    public function testThereAndBack(): void
    {
        $sender = new Sender('Guzzle', new FakeClient('one'), [
            new Response(302, ['Location' => 'https://app.tpstreams.com/b']),
            new Response(302, ['Location' => 'https://cdn.example.com/c']),
            new Response(302, ['Location' => 'https://app.tpstreams.com/d']),
            new Response(200),
        ]);
        $sender->send(new Request('GET', 'https://app.tpstreams.com/a'));

        self::assertSame(['Token one', 'Token one', '', 'Token one'], $sender->sent());
    }

    public function testAHostThatARedirectLeadsToRejectsNoToken(): void
    {
        $client = new FakeClient(['one', 'two']);
        $sender = new Sender('Guzzle', $client, [
            new Response(307, ['Location' => 'https://cdn.example.com/']),
            new Response(401, ['WWW-Authenticate' => 'Token'], '{"detail":"Invalid token."}'),
        ]);

        self::assertSame(401, $sender->send(new Request('GET', 'https://app.tpstreams.com/'))->getStatusCode());
        self::assertSame(['Token one', ''], $sender->sent());
        self::assertSame([], $client->rejected());
    }

    /** PSR-18 wants redirects returned; Guzzle does that. */
    public function testPsr18FollowsNone(): void
    {
        $sender = new Sender('PSR-18', new FakeClient(), [
            new Response(302, ['Location' => 'https://cdn.example.com/']),
        ]);

        self::assertSame(302, $sender->send(new Request('GET', 'https://app.tpstreams.com/'))->getStatusCode());
        self::assertCount(1, $sender->sent());
    }
}
