<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Psr7\Request;
use GuzzleHttp\Psr7\Response;
use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\CredentialsException;
use TPS\Logging;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Records;
use TPS\Tests\Support\Sender;
use TPS\Tests\Support\Servers;

/**
 * The library's events in a logger of PSR-3.
 */
final class LoggingTest extends TestCase
{
    private Records $records;

    public static function setUpBeforeClass(): void
    {
        require_once 'Psr/Log/autoload.php';
    }

    protected function setUp(): void
    {
        $this->records = new Records();
    }

    protected function tearDown(): void
    {
        Logging::to(null);
    }

    public function testALifeOfAToken(): void
    {
        $organization = Organization::make();
        $client = new Client(...$organization->credentials(), options: Organization::options(), logger: $this->records);
        $client->token();
        $client->token();
        self::assertSame(['login'], $this->records->kinds());

        $organization->revoke();
        $client->invalidate($client->token());
        $client->token();
        $client->logout();
        self::assertSame(['login', 'rejected', 'login', 'logout'], $this->records->kinds());
        self::assertSame(['info', 'warning', 'info', 'info'], array_column($this->records->all, 0));
        self::assertMatchesRegularExpression(
            '/^TPStreams token: login \(first\) in \d+ ms$/',
            $this->records->all[0][1],
        );
        self::assertStringNotContainsString($organization->password, json_encode($this->records->all));
    }

    public function testAFailureIsLoggedAndThrown(): void
    {
        $credentials = ['password' => 'wrong'] + Organization::make()->credentials();
        try {
            Client::login(...$credentials, options: Organization::options(), logger: $this->records);
            self::fail('nothing was thrown');
        } catch (CredentialsException) {
            self::assertContains('hold_off', $this->records->kinds());
            self::assertContains('warning', array_column($this->records->all, 0));
        }
    }

    public function testOneLoggerForAllClientsAndEachEventOnce(): void
    {
        Logging::to($this->records);
        $organization = Organization::make();
        $organization->login();
        $same = $organization->login();
        $organization->revoke();
        $same->invalidate($same->token());
        $same->token();

        self::assertSame(['login', 'rejected', 'login'], $this->records->kinds());
    }

    /** Of the library's clients for one account there may be several at once, or one after the other. */
    public function testEachEventOnceWhicheverClientTellsOfIt(): void
    {
        Logging::to($this->records);
        $organization = Organization::make();
        $organization->login();
        // Takes the place in memory of the client that is gone.
        $other = Organization::make()->login();
        $again = $organization->login();
        $patient = $organization->login(['timeout_ms' => 20_000]);
        self::assertSame($again->token(), $patient->token());
        self::assertSame(['login', 'login'], $this->records->kinds());

        $organization->revoke();
        $patient->invalidate($again->token());
        self::assertNotSame($other->token(), $again->token());
        self::assertSame($again->token(), $patient->token());
        self::assertSame(['login', 'login', 'rejected', 'login'], $this->records->kinds());
    }

    /** A token at hand costs no look at the events: the calls into the library are as without a logger (ForeignCallTest). */
    public function testNothingIsLookedAtOnAHit(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        Logging::to($this->records);
        for ($i = 0; $i < 100; $i++) {
            $client->token();
        }

        self::assertSame([], $this->records->all);
    }

    /** The library outlives a page of FPM: what an earlier page has logged is not logged again. */
    public function testWhatHappenedBeforeThisPageIsNotLogged(): void
    {
        $organization = Organization::make();
        $child = Child::run(<<<'PHP'
            require 'Psr/Log/autoload.php';
            $client = TPS\Client::fromEnvironment();
            // As if the next page began here.
            usleep(20000);
            $_SERVER['REQUEST_TIME_FLOAT'] = microtime(true);
            TPS\Logging::to(new class () extends Psr\Log\AbstractLogger {
                public function log($level, $message, array $context = []): void { echo $context['tps']['kind'], ' '; }
            });
            $client->logout();
            $client->token();
            PHP, [
                'TPS_USERNAME' => $organization->username,
                'TPS_PASSWORD' => $organization->password,
                'TPS_ORGANIZATION_ID' => $organization->id,
                'TPS_BASE_URL' => Servers::knox(),
                'TPS_CACHE' => 'memory',
            ]);

        self::assertSame(['logout login ', ''], [$child->stdout, $child->stderr]);
    }

    /** "localhost" and "127.0.0.1" are two origins: the log says so. */
    public function testARequestToAnotherOriginIsLoggedOnce(): void
    {
        Logging::to($this->records);
        $client = new FakeClient(baseUrl: 'http://127.0.0.1:8000');
        $sender = new Sender('Guzzle', $client, [new Response(), new Response(), new Response()]);
        foreach (['http://localhost:8000/', 'http://localhost:8000/', 'http://127.0.0.1:8000/'] as $url) {
            $sender->send(new Request('GET', $url));
        }

        self::assertCount(1, $this->records->all);
        self::assertStringContainsString('http://localhost:8000 goes without it', $this->records->all[0][1]);
        self::assertStringContainsString('http://127.0.0.1:8000', $this->records->all[0][1]);
    }
}
