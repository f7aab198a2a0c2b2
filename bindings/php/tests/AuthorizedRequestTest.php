<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Psr7\NoSeekStream;
use GuzzleHttp\Psr7\Request;
use GuzzleHttp\Psr7\Response;
use GuzzleHttp\Psr7\Utils;
use PHPUnit\Framework\TestCase;
use TPS\Exception\LoginBudgetException;
use TPS\Exception\TpsException;
use TPS\Status;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Sender;
use TPS\Tests\Support\Servers;

/**
 * What AuthorizedClient and Authorize do alike. The peer is the real Guzzle, as a PSR-18 client and by itself.
 */
final class AuthorizedRequestTest extends TestCase
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
    public function testOneLoginForAllRequests(string $way): void
    {
        $organization = Organization::make();
        $sender = new Sender($way, $organization->client());
        for ($i = 0; $i < 5; $i++) {
            $answer = $sender->send(self::organizations());
            self::assertSame(200, $answer->getStatusCode());
        }
        self::assertSame($organization->name, json_decode((string) $answer->getBody())->results[0]->name);
        self::assertSame([5, 1], [$organization->count('api_calls'), $organization->count('logins')]);
    }

    /**
     * @dataProvider ways
     */
    public function testARevokedTokenIsReplacedAndTheRequestRepeatedOnce(string $way): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $first = $client->authorization();
        $sender = new Sender($way, $client);
        $organization->revoke();

        self::assertSame(200, $sender->send(self::organizations())->getStatusCode());
        self::assertSame([$first, $client->authorization()], $sender->sent());
        self::assertNotSame($first, $client->authorization());
        self::assertSame(2, $organization->count('logins'));
        self::assertSame(1, $organization->count('api_calls'));
    }

    public function testNoThirdTime(): void
    {
        foreach (Sender::WAYS as $way) {
            $client = new FakeClient(['one', 'two', 'three']);
            $sender = new Sender($way, $client, array_fill(0, 9, self::rejection()));

            $answer = $sender->send(new Request('GET', self::OWN));
            self::assertSame([401, self::INVALID], [$answer->getStatusCode(), (string) $answer->getBody()]);
            self::assertSame(['Token one', 'Token two'], $sender->sent(), $way);
            self::assertSame(['one'], $client->rejected());
        }
    }

    /**
     * @dataProvider foreign
     */
    public function testAnotherHostGetsNoHeader(string $way, string $baseUrl, string $url): void
    {
        $client = new FakeClient(baseUrl: $baseUrl);
        $sender = new Sender($way, $client, [self::rejection()]);
        $answer = $sender->send(new Request('GET', $url, ['X-Own' => '1']));

        self::assertSame([401, ['']], [$answer->getStatusCode(), $sender->sent()]);
        self::assertSame([], $client->rejected());
    }

    /**
     * @return iterable<string, array{string, string, string}>
     */
    public static function foreign(): iterable
    {
        foreach (Sender::WAYS as $way) {
            yield "$way: host" => [$way, 'https://app.tpstreams.com', 'https://tpstreams.com/'];
            yield "$way: a longer host" => [$way, 'https://app.tpstreams.com', 'https://app.tpstreams.com.example.com/'];
            yield "$way: user info" => [$way, 'https://app.tpstreams.com', 'https://app.tpstreams.com@example.com/'];
            yield "$way: scheme" => [$way, 'https://app.tpstreams.com', 'http://app.tpstreams.com/'];
            yield "$way: port" => [$way, 'https://app.tpstreams.com', 'https://app.tpstreams.com:8443/'];
            yield "$way: scheme, the same port" => [$way, 'https://app.tpstreams.com', 'http://app.tpstreams.com:443/'];
            yield "$way: a name and its address" => [$way, 'http://127.0.0.1:8000', 'http://localhost:8000/'];
        }
    }

    /**
     * @dataProvider own
     */
    public function testTheOwnHostGetsTheHeader(string $way, string $baseUrl, string $url): void
    {
        $sender = new Sender($way, new FakeClient('one', $baseUrl), [new Response(204)]);
        // A stale one is replaced.
        $sender->send(new Request('GET', $url, ['authorization' => 'Token stale']));

        self::assertSame(['Token one'], $sender->sent());
    }

    /**
     * @return iterable<string, array{string, string, string}>
     */
    public static function own(): iterable
    {
        foreach (Sender::WAYS as $way) {
            yield "$way: any path" => [$way, 'https://app.tpstreams.com/base', self::OWN];
            yield "$way: the usual port, told" => [$way, 'https://app.tpstreams.com', 'https://app.tpstreams.com:443/'];
            yield "$way: the usual port, told in the base" => [$way, 'https://app.tpstreams.com:443/', self::OWN];
            yield "$way: case" => [$way, 'https://App.TPStreams.com', 'https://APP.tpstreams.com/'];
            yield "$way: another port" => [$way, 'http://[::1]:8000', 'http://[::1]:8000/'];
        }
    }

    /**
     * @dataProvider ways
     */
    public function testOtherAnswersPass(string $way): void
    {
        $answers = [
            new Response(401, ['WWW-Authenticate' => 'Token'], '{"detail":"User inactive or deleted."}'),
            new Response(403, [], '{"detail":"You do not have permission to perform this action."}'),
            new Response(404, [], self::INVALID),
            new Response(500, ['WWW-Authenticate' => 'Token'], self::INVALID),
        ];
        $client = new FakeClient(['one', 'two']);
        $sender = new Sender($way, $client, $answers);
        foreach ($answers as $answer) {
            self::assertSame($answer, $sender->send(new Request('GET', self::OWN)));
        }
        self::assertSame([], $client->rejected());
        self::assertSame(array_fill(0, 4, 'Token one'), $sender->sent());
    }

    /**
     * @dataProvider ways
     */
    public function testAnAnswerThatCanBeReadOnceIsLeftAlone(string $way): void
    {
        $body = new NoSeekStream(Utils::streamFor('{"detail":"User inactive or deleted."}'));
        $answers = [new Response(401, ['WWW-Authenticate' => 'Basic'], $body)];
        $sender = new Sender($way, new FakeClient(['one', 'two']), $answers);
        $answer = $sender->send(new Request('GET', self::OWN));

        self::assertSame('{"detail":"User inactive or deleted."}', $answer->getBody()->getContents());
        self::assertCount(1, $sender->sent());
    }

    /** As its status says: the library asks the server, which takes the token. */
    public function testAFalseAlarmCostsNoLogin(): void
    {
        foreach (Sender::WAYS as $way) {
            $organization = Organization::make();
            $client = $organization->login();
            $stripped = new Response(401, ['WWW-Authenticate' => 'Token'], '{"detail":"कुछ और"}');
            $sender = new Sender($way, $client, [$stripped, new Response(200)]);

            $url = Servers::knox() . '/api/v1/assets/';
            self::assertSame(200, $sender->send(new Request('GET', $url))->getStatusCode());
            self::assertSame(1, $organization->count('logins'));
            self::assertSame(1, $client->stats()['false_alarms']);
        }
    }

    /**
     * @dataProvider ways
     */
    public function testNoTokenNoRequest(string $way): void
    {
        $reason = new LoginBudgetException('the budget is used up', retryAfter: 60.0);
        $sender = new Sender($way, new FakeClient($reason), [new Response(200)]);
        try {
            $sender->send(new Request('GET', self::OWN));
            self::fail('nothing was thrown');
        } catch (TpsException $exception) {
            self::assertSame('the budget is used up', $exception->getMessage());
            self::assertSame(Status::LoginBudget, $exception->status);
            self::assertSame(60.0, $exception->retryAfter);
            self::assertSame($reason, $exception->getPrevious());
            self::assertInstanceOf(\Psr\Http\Client\ClientExceptionInterface::class, $exception);
            self::assertSame($way === 'Guzzle', $exception instanceof \GuzzleHttp\Exception\GuzzleException);
        }
        self::assertSame([], $sender->sent());
    }

    /**
     * @dataProvider ways
     */
    public function testNoOtherToken(string $way): void
    {
        $client = new FakeClient(['one', new LoginBudgetException('the budget is used up', retryAfter: 60.0)]);
        $sender = new Sender($way, $client, [self::rejection(), new Response(200)]);
        try {
            $sender->send(new Request('GET', self::OWN));
            self::fail('nothing was thrown');
        } catch (TpsException $exception) {
            self::assertSame(Status::LoginBudget, $exception->status);
        }
        self::assertSame(['Token one'], $sender->sent());
    }

    private static function organizations(): Request
    {
        return new Request('GET', Servers::knox() . '/api/v1/organizations/');
    }

    private static function rejection(): Response
    {
        return new Response(401, ['WWW-Authenticate' => 'Token'], self::INVALID);
    }
}
