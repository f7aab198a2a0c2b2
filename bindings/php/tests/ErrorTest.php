<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\CredentialsException;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\NetworkException;
use TPS\Exception\OutcomeUnknownException;
use TPS\Exception\ServerException;
use TPS\Exception\ThrottledException;
use TPS\Exception\TokenLimitException;
use TPS\Exception\TokenRejectedException;
use TPS\Exception\TpsException;
use TPS\Exception\UnexpectedResponseException;
use TPS\Exception\UsageException;
use TPS\Status;
use TPS\Tests\Support\Http;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * Each way in which a login can fail: the class, what it carries, and that it says no secret.
 */
final class ErrorTest extends TestCase
{
    private const WRONG = 'not-the-password-3141';

    public function testWrongPassword(): void
    {
        $organization = Organization::make();
        $exception = $this->thrownBy(['password' => self::WRONG] + $organization->credentials());

        self::assertInstanceOf(CredentialsException::class, $exception);
        self::assertSame(Status::Credentials, $exception->status);
        self::assertSame(Status::Credentials->value, $exception->getCode());
        self::assertSame(400, $exception->httpStatus);
        self::assertEqualsWithDelta(60, $exception->retryAfter, 1);
        self::assertSame(1, $organization->count('logins'));
    }

    public function testAFailureIsRememberedForAWhile(): void
    {
        $organization = Organization::make();
        $wrong = ['password' => self::WRONG] + $organization->credentials();
        for ($i = 0; $i < 5; $i++) {
            $exception = $this->thrownBy($wrong);
            self::assertInstanceOf(CredentialsException::class, $exception);
            self::assertSame(400, $exception->httpStatus);
        }
        self::assertSame(1, $organization->count('logins'));
        self::assertSame(200, $organization->statusFor($organization->login()->token()));
    }

    public function testAWrongPasswordNeverGetsTheTokenOfTheRightOne(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $token = $client->token();
        $credentials = ['password' => self::WRONG] + $organization->credentials();
        $wrong = new Client(...$credentials, options: Organization::options());
        for ($i = 0; $i < 3; $i++) {
            try {
                self::fail($wrong->token() === $token ? 'the token of the right password' : 'a token');
            } catch (CredentialsException) {
                self::assertSame($token, $client->token());
            }
        }
        self::assertSame(2, $organization->count('logins'));
        self::assertSame(200, $organization->statusFor($client->token()));
    }

    public function testUnknownOrganization(): void
    {
        $exception = $this->thrownBy(['organizationId' => 'nowhere'] + Organization::make()->credentials());

        self::assertInstanceOf(CredentialsException::class, $exception);
        self::assertSame(400, $exception->httpStatus);
    }

    public function testTokenLimit(): void
    {
        $organization = Organization::make(['token_limit' => 0]);
        $exception = $this->thrownBy($organization->credentials());

        self::assertInstanceOf(TokenLimitException::class, $exception);
        self::assertSame(Status::TokenLimit, $exception->status);
        self::assertSame(403, $exception->httpStatus);
        self::assertEqualsWithDelta(300, $exception->retryAfter, 1);
        self::assertSame(0, $organization->count('tokens_made'));
    }

    public function testThrottled(): void
    {
        $organization = Organization::make(['throttle' => ['allow' => 0, 'wait' => 7]]);
        $exception = $this->thrownBy($organization->credentials());

        self::assertInstanceOf(ThrottledException::class, $exception);
        self::assertSame(Status::Throttled, $exception->status);
        self::assertSame(429, $exception->httpStatus);
        self::assertEqualsWithDelta(7, $exception->retryAfter, 1);
        self::assertSame(1, $organization->count('logins'));
    }

    public function testServerErrorInHtml(): void
    {
        $exception = $this->thrownBy(Organization::make(['fault' => 'html500'])->credentials());

        self::assertInstanceOf(ServerException::class, $exception);
        self::assertSame(Status::Server, $exception->status);
        self::assertSame(500, $exception->httpStatus);
        self::assertStringNotContainsString("\n", $exception->getMessage());
    }

    public function testPageInsteadOfJson(): void
    {
        $exception = $this->thrownByFault('html200');

        self::assertInstanceOf(UnexpectedResponseException::class, $exception);
        self::assertSame(Status::UnexpectedResponse, $exception->status);
        self::assertSame(200, $exception->httpStatus);
    }

    public function testLostAnswer(): void
    {
        $exception = $this->thrownByFault('close');

        self::assertInstanceOf(OutcomeUnknownException::class, $exception);
        self::assertSame(Status::OutcomeUnknown, $exception->status);
        self::assertNull($exception->httpStatus);
    }

    public function testConnectionRefused(): void
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($socket, remote: false);
        fclose($socket);
        $exception = $this->thrownBy($this->somebody(), ['base_url' => "http://$address"]);

        self::assertInstanceOf(NetworkException::class, $exception);
        self::assertSame(Status::Network, $exception->status);
        self::assertNull($exception->httpStatus);
        self::assertGreaterThanOrEqual(0.0, $exception->retryAfter);
    }

    public function testAServerThatNeverAnswers(): void
    {
        $start = hrtime(true);
        $exception = $this->thrownByFault('hang', ['timeout_ms' => 1500]);
        $seconds = (hrtime(true) - $start) / 1e9;

        self::assertInstanceOf(OutcomeUnknownException::class, $exception);
        self::assertNull($exception->httpStatus);
        self::assertEqualsWithDelta(1.5, $seconds, 0.5);
    }

    /** In SPL's order, as users who throw it write it. */
    public function testConstructors(): void
    {
        $cause = new \RuntimeException('no route to host');
        $exception = new TokenRejectedException('told so', 401, $cause);
        self::assertSame([401, $cause, 0.0, 0], [$exception->httpStatus, $exception->getPrevious(), $exception->retryAfter,
            $exception->getCode()]);

        $exception = new ThrottledException('later', 429, retryAfter: 60.0);
        self::assertSame([Status::Throttled, 429, 60.0, 4], [$exception->status, $exception->httpStatus,
            $exception->retryAfter, $exception->getCode()]);
        self::assertInstanceOf(\InvalidArgumentException::class, new InvalidArgumentException());
        self::assertInstanceOf(\LogicException::class, new UsageException());
        self::assertInstanceOf(TpsException::class, new UsageException());
    }

    public function testTheNextCallGoesOnAfterAFailure(): void
    {
        $organization = Organization::make(['throttle' => ['allow' => 0, 'wait' => 1]]);
        $client = $organization->client();
        try {
            $client->token();
            self::fail('nothing was thrown');
        } catch (ThrottledException $exception) {
            $organization->change(['throttle' => null]);
            usleep((int) ($exception->retryAfter * 1_000_000) + 100_000);
        }

        self::assertSame(200, $organization->statusFor($client->token()));
    }

    /**
     * @param array<string, mixed> $options
     */
    private function thrownByFault(string $scenario, array $options = []): TpsException
    {
        $key = bin2hex(random_bytes(8));
        $url = Servers::faults() . "/$scenario/$key";
        $exception = $this->thrownBy($this->somebody(), $options + ['base_url' => $url]);
        [, $counts] = Http::request('GET', Servers::faults() . "/_count/$key");
        self::assertSame(1, $counts['logins']);

        return $exception;
    }

    /**
     * @param array<string, string> $credentials
     * @param array<string, mixed>  $options
     */
    private function thrownBy(array $credentials, array $options = []): TpsException
    {
        try {
            Client::login(...$credentials, options: Organization::options($options));
        } catch (TpsException $exception) {
            self::assertNotSame('', $exception->getMessage());
            foreach ([$exception->getMessage(), $exception->getTraceAsString()] as $text) {
                self::assertStringNotContainsString($credentials['password'], $text);
            }

            return $exception;
        }
        self::fail('nothing was thrown');
    }

    /**
     * @return array<string, string>
     */
    private function somebody(): array
    {
        return ['username' => 'somebody@example.com', 'password' => self::WRONG, 'organizationId' => 'abc123'];
    }
}
