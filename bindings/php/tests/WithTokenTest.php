<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Psr7\Response;
use PHPUnit\Framework\TestCase;
use TPS\Exception\LoginBudgetException;
use TPS\Exception\TokenRejectedException;
use TPS\Exception\TpsException;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Organization;

final class WithTokenTest extends TestCase
{
    public function testARevokedTokenIsReplacedOnce(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $organization->revoke();
        $tokens = [];
        $status = $client->withToken(static function (string $token) use ($organization, &$tokens): int {
            $tokens[] = $token;

            return $organization->statusFor($token);
        });

        self::assertSame(200, $status);
        self::assertCount(2, array_unique($tokens));
        self::assertSame($client->token(), $tokens[1]);
        self::assertSame(2, $organization->count('logins'));
    }

    /**
     * @dataProvider rejections
     */
    public function testNoThirdTime(mixed $rejection): void
    {
        [$outcome, $tokens, $client] = self::outcome($rejection);

        self::assertSame($rejection, $outcome);
        self::assertSame(['one', 'two'], $tokens);
        self::assertSame(['one'], $client->rejected());
    }

    /**
     * @return array<string, array{mixed}>
     */
    public static function rejections(): array
    {
        return [
            'an exception' => [new TokenRejectedException()],
            'a status' => [401],
            'a response of PSR-7' => [new Response(401, [], '{"detail":"Invalid token."}')],
            'a response of PSR-7 with 403' => [new Response(403, [], '{"detail":"Invalid token."}')],
            'another response' => [self::response(401)],
            "Laravel's response" => [self::laravel(new Response(401, [], '{"detail":"Invalid token."}'))],
        ];
    }

    /**
     * @dataProvider others
     */
    public function testAnythingElseIsReturnedOrThrown(mixed $other): void
    {
        [$outcome, $tokens, $client] = self::outcome($other);

        self::assertSame($other, $outcome);
        self::assertSame(['one'], $tokens);
        self::assertSame([], $client->rejected());
    }

    /**
     * @return array<string, array{mixed}>
     */
    public static function others(): array
    {
        return [
            'null' => [null],
            'a status' => [200],
            'a status that forbids' => [403],
            'a text' => ['401'],
            'a list' => [[401]],
            'an object' => [(object) ['status' => 401]],
            'an object that answers to anything' => [new class () {
                public function __call(string $name, array $arguments): never
                {
                    throw new \BadMethodCallException($name);
                }
            }],
            'another response' => [self::response(403)],
            'a 401 that says nothing against the token' => [
                new Response(401, ['WWW-Authenticate' => 'Token'], '{"detail":"User inactive or deleted."}'),
            ],
            "Laravel's response" => [self::laravel(new Response(403))],
            'another exception' => [new \RuntimeException('no route to host')],
            'an error' => [new \TypeError('a bug')],
        ];
    }

    public function testNoOtherToken(): void
    {
        $client = new FakeClient(['one', new LoginBudgetException('the budget is used up')]);

        $this->expectException(LoginBudgetException::class);
        $client->withToken(static fn (): int => 401);
    }

    public function testAnythingCallable(): void
    {
        self::assertSame(10, (new FakeClient())->withToken('strlen'));
    }

    public function testTheExceptionSaysWhatItMeans(): void
    {
        self::assertSame('the server rejected the token', (new TokenRejectedException())->getMessage());
        self::assertSame('told so', (new TokenRejectedException('told so'))->getMessage());
        self::assertInstanceOf(TpsException::class, new TokenRejectedException());
    }

    /**
     * @return array{mixed, list<string>, FakeClient} what came out, the tokens that were tried, and by whom
     */
    private static function outcome(mixed $result): array
    {
        $client = new FakeClient(['one', 'two', 'three']);
        $tokens = [];
        try {
            $outcome = $client->withToken(static function (string $token) use ($result, &$tokens): mixed {
                $tokens[] = $token;

                return $result instanceof \Throwable ? throw $result : $result;
            });
        } catch (\Throwable $thrown) {
            $outcome = $thrown;
        }

        return [$outcome, $tokens, $client];
    }

    /** As Symfony's. */
    private static function response(int $status): object
    {
        return new class ($status) {
            public function __construct(private int $status)
            {
            }

            public function getStatusCode(): int
            {
                return $this->status;
            }
        };
    }

    private static function laravel(Response $response): \Illuminate\Http\Client\Response
    {
        require_once 'Illuminate/Http/autoload.php';

        return new \Illuminate\Http\Client\Response($response);
    }
}
