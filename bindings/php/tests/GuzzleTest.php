<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Exception\ClientException;
use GuzzleHttp\Exception\GuzzleException;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Promise\Utils;
use GuzzleHttp\Psr7\Request;
use GuzzleHttp\Psr7\Response;
use Illuminate\Http\Client\Factory;
use PHPUnit\Framework\TestCase;
use Psr\Http\Client\ClientExceptionInterface;
use Psr\Http\Message\RequestInterface;
use TPS\Client;
use TPS\Exception\CredentialsException;
use TPS\Exception\TpsException;
use TPS\Guzzle\Authorize;
use TPS\Guzzle\TokenUnavailableException;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Sender;
use TPS\Tests\Support\Servers;

/**
 * What Guzzle can do besides: many requests at once, streams, files, exceptions.
 */
final class GuzzleTest extends TestCase
{
    private const PATH = '/api/v1/organizations/';

    private Organization $organization;

    protected function setUp(): void
    {
        $this->organization = Organization::make();
    }

    public function testManyAtOnceWithARevokedToken(): void
    {
        $client = $this->organization->login();
        $guzzle = $this->guzzle($client);
        $this->organization->revoke();
        $promises = array_map(static fn () => $guzzle->getAsync(self::PATH), range(1, 10));

        foreach (Utils::unwrap($promises) as $answer) {
            self::assertSame(200, $answer->getStatusCode());
        }
        self::assertSame([2, 10], [$this->organization->count('logins'), $this->organization->count('api_calls')]);
    }

    public function testAStreamedAnswer(): void
    {
        $client = $this->organization->login();
        $this->organization->revoke();
        $answer = $this->guzzle($client)->get(self::PATH, ['stream' => true]);

        self::assertFalse($answer->getBody()->isSeekable());
        self::assertStringContainsString($this->organization->name, $answer->getBody()->getContents());
        self::assertSame(2, $this->organization->count('logins'));
    }

    public function testAnAnswerThatGoesToAFile(): void
    {
        $client = $this->organization->login();
        $this->organization->revoke();
        $file = tempnam(sys_get_temp_dir(), 'tps-test-');
        try {
            $this->guzzle($client)->get(self::PATH, ['sink' => $file]);
            self::assertSame($this->organization->name, json_decode(file_get_contents($file))->results[0]->name);
        } finally {
            unlink($file);
        }
    }

    public function testGuzzlesExceptionsAreAsWithout(): void
    {
        $client = $this->organization->login();
        $this->organization->change(['active' => false]);
        try {
            $this->guzzle($client)->get(self::PATH);
            self::fail('nothing was thrown');
        } catch (ClientException $exception) {
            self::assertStringContainsString('User inactive', (string) $exception->getResponse()->getBody());
        }
        self::assertSame(1, $this->organization->count('logins'));
    }

    public function testNoTokenIsARejectedPromise(): void
    {
        $credentials = ['password' => 'wrong'] + $this->organization->credentials();
        $guzzle = $this->guzzle(new Client(...$credentials, options: Organization::options()));
        $promise = $guzzle->getAsync(self::PATH);

        try {
            $promise->wait();
            self::fail('nothing was thrown');
        } catch (GuzzleException $exception) {
            self::assertInstanceOf(TokenUnavailableException::class, $exception);
            self::assertInstanceOf(CredentialsException::class, $exception->getPrevious());
            self::assertSame(400, $exception->httpStatus);
        }
    }

    /**
     * What a sink has taken is not followed by another answer. The next request is right.
     *
     * @dataProvider sinks
     */
    public function testASinkThatHasTakenBytesIsNotSentAnother(\Closure $open): void
    {
        $client = $this->organization->login();
        $this->organization->revoke();
        $file = tempnam(sys_get_temp_dir(), 'tps-test-');
        file_put_contents($file, 'before,');
        try {
            $answer = $this->guzzle($client, ['http_errors' => false])->get(self::PATH, ['sink' => $open($file)]);
            self::assertSame(401, $answer->getStatusCode());
            self::assertStringEndsWith('{"detail":"Invalid token."}', file_get_contents($file));
            self::assertSame(0, $this->organization->count('api_calls'));
            self::assertSame(200, $this->guzzle($client)->get(self::PATH)->getStatusCode());
            self::assertSame(2, $this->organization->count('logins'));
        } finally {
            unlink($file);
        }
    }

    /**
     * @return array<string, array{\Closure(string): mixed}>
     */
    public static function sinks(): array
    {
        return [
            'a handle' => [static fn (string $file) => fopen($file, 'w+')],
            'a handle that appends' => [static fn (string $file) => fopen($file, 'a+')],
            'a stream' => [static fn (string $file) => \GuzzleHttp\Psr7\Utils::streamFor(fopen($file, 'w+'))],
        ];
    }

    public function testAPageThatPrintsTheAnswerPrintsOneAnswer(): void
    {
        $client = $this->organization->login();
        $this->organization->revoke();
        ob_start();
        $this->guzzle($client, ['http_errors' => false])->get(self::PATH, ['sink' => fopen('php://output', 'w')]);

        self::assertSame('{"detail":"Invalid token."}', ob_get_clean());
    }

    public function testARequestWithoutTheToken(): void
    {
        $client = $this->organization->login();
        try {
            $this->guzzle($client)->get(self::PATH, ['tps' => false]);
            self::fail('nothing was thrown');
        } catch (ClientException $exception) {
            self::assertFalse($exception->getRequest()->hasHeader('Authorization'));
        }
        self::assertSame([1, 0], [$this->organization->count('logins'), $client->stats()['invalidations']]);
    }

    /** Guzzle is a PSR-18 client too. */
    public function testNoTokenIsAnExceptionOfPsr18(): void
    {
        $credentials = ['password' => 'wrong'] + $this->organization->credentials();
        $guzzle = $this->guzzle(new Client(...$credentials, options: Organization::options()));

        $this->expectException(ClientExceptionInterface::class);
        $guzzle->sendRequest(new Request('GET', Servers::knox() . self::PATH));
    }

    /** Its handler takes exceptions of Guzzle alone, and hides others behind a TypeError. */
    public function testNoTokenUnderLaravelsAsync(): void
    {
        require_once 'Illuminate/Http/autoload.php';
        $credentials = ['password' => 'wrong'] + $this->organization->credentials();
        $client = new Client(...$credentials, options: Organization::options());
        $promise = (new Factory())->withMiddleware(new Authorize($client))->async()->get(Servers::knox() . self::PATH);
        $outcome = $promise->wait();

        self::assertInstanceOf(TokenUnavailableException::class, $outcome);
        self::assertInstanceOf(TpsException::class, $outcome);
        self::assertInstanceOf(CredentialsException::class, $outcome->getPrevious());
    }

    /** One that is past its beginning is sent from where it is, both times. */
    public function testABodyIsRepeatedFromWhereItStood(): void
    {
        $bodies = [];
        $answer = static function (RequestInterface $request) use (&$bodies): Response {
            $bodies[] = $request->getBody()->getContents();

            return new Response(401, [], '{"detail":"Invalid token."}');
        };
        foreach (Sender::WAYS as $way) {
            $body = \GuzzleHttp\Psr7\Utils::streamFor('read already, rest');
            $body->read(strlen('read already, '));
            $sender = new Sender($way, new FakeClient(['one', 'two']), [$answer, $answer]);
            $sender->send(new Request('POST', 'https://app.tpstreams.com/', [], $body));
        }

        self::assertSame(array_fill(0, 4, 'rest'), $bodies);
    }

    /** Guzzle's own queue goes on as before: promises settle in their order. */
    public function testTheQueueIsGuzzles(): void
    {
        $this->guzzle($this->organization->client())->getAsync(self::PATH)->wait();
        $order = [];
        $promise = new \GuzzleHttp\Promise\Promise();
        $promise->then(static function () use (&$order): void {
            $order[] = 'first';
        });
        $promise->then(static function () use (&$order): void {
            $order[] = 'second';
        });
        $promise->resolve('done');
        self::assertSame([], $order);
        Utils::queue()->run();
        self::assertSame(['first', 'second'], $order);
        self::assertTrue(Utils::queue()->isEmpty());
    }

    /**
     * @param array<string, mixed> $options
     */
    private function guzzle(Client $client, array $options = []): Guzzle
    {
        $stack = HandlerStack::create();
        $stack->push(new Authorize($client));

        return new Guzzle(['handler' => $stack, 'base_uri' => Servers::knox()] + $options);
    }
}
