<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Psr7\BufferStream;
use GuzzleHttp\Psr7\NoSeekStream;
use GuzzleHttp\Psr7\Request;
use GuzzleHttp\Psr7\Response;
use GuzzleHttp\Psr7\Utils;
use PHPUnit\Framework\TestCase;
use Psr\Http\Message\RequestInterface;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Http;
use TPS\Tests\Support\Sender;
use TPS\Tests\Support\Servers;

/**
 * A body is sent again from its beginning, or not at all.
 */
final class RequestBodyTest extends TestCase
{
    private const INVALID = '{"detail":"Invalid token."}';

    private const OWN = 'https://app.tpstreams.com/api/v1/assets/';

    /**
     * @return iterable<string, array{string}>
     */
    public static function ways(): iterable
    {
        foreach (Sender::WAYS as $way) {
            yield $way => [$way];
        }
    }

    /**
     * @dataProvider ways
     */
    public function testABodyIsSentAgainFromItsBeginning(string $way): void
    {
        $bodies = [];
        // Reads on from where the body stands, as not every client does.
        $answer = static function (RequestInterface $request) use (&$bodies): Response {
            $bodies[] = $request->getBody()->getContents();

            return self::rejection();
        };
        $sender = new Sender($way, new FakeClient(['one', 'two']), [$answer, $answer]);
        $sender->send(new Request('POST', self::OWN, [], 'a body'));

        self::assertSame(['a body', 'a body'], $bodies);
        self::assertSame(['Token one', 'Token two'], $sender->sent());
    }

    /**
     * @dataProvider ways
     */
    public function testABodyThatIsUsedUpIsNotSentAgain(string $way): void
    {
        $key = bin2hex(random_bytes(8));
        $client = new FakeClient(['one', 'two'], Servers::faults());
        $sender = new Sender($way, $client);
        $body = new NoSeekStream(Utils::streamFor('a body that can be read once'));
        $answer = $sender->send(new Request('POST', self::rejecting($key), [], $body));

        self::assertSame([401, self::INVALID], [$answer->getStatusCode(), (string) $answer->getBody()]);
        self::assertSame(['a body that can be read once'], array_column(self::log($key), 'body'));
        // The next one is right all the same.
        self::assertSame(['one'], $client->rejected());
        self::assertSame('two', $client->token());
    }

    /** A stream that is empty once it was read, and says so. */
    public function testABodyThatLooksEmptyOnceItWasSent(): void
    {
        $reading = static function (RequestInterface $request): Response {
            $request->getBody()->getContents();

            return self::rejection();
        };
        foreach (Sender::WAYS as $way) {
            $body = new BufferStream();
            $body->write('once');
            $sender = new Sender($way, new FakeClient(['one', 'two']), [$reading, new Response(200)]);
            self::assertSame(401, $sender->send(new Request('POST', self::OWN, [], $body))->getStatusCode());
            self::assertCount(1, $sender->sent());
        }
    }

    private static function rejection(): Response
    {
        return new Response(401, ['WWW-Authenticate' => 'Token'], self::INVALID);
    }

    /** Where the fault server knows no token: every one is rejected. */
    private static function rejecting(string $key): string
    {
        return Servers::faults() . "/ok/$key/api/auth/logout/";
    }

    /**
     * @return list<array{line: string, headers: array<string, string>, body: string}>
     */
    private static function log(string $key): array
    {
        return Http::request('GET', Servers::faults() . "/_count/$key")[1]['log'];
    }
}
