<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Exception\ClientException;
use GuzzleHttp\Exception\GuzzleException;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Promise\Utils;
use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\CredentialsException;
use TPS\Guzzle\Authorize;
use TPS\Guzzle\TokenUnavailableException;
use TPS\Tests\Support\Organization;
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

    private function guzzle(Client $client): Guzzle
    {
        $stack = HandlerStack::create();
        $stack->push(new Authorize($client));

        return new Guzzle(['handler' => $stack, 'base_uri' => Servers::knox()]);
    }
}
