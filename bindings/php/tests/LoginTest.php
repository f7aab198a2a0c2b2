<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

final class LoginTest extends TestCase
{
    public function testOneLoginThenTheSameToken(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $token = $client->token();

        self::assertSame(200, $organization->statusFor($token));
        self::assertSame("Token $token", $client->authorization());
        for ($i = 0; $i < 10_000; $i++) {
            self::assertSame($token, $client->token());
        }
        self::assertSame(1, $organization->count('logins'));
    }

    public function testASecondClientOfTheProcessSendsNothing(): void
    {
        $organization = Organization::make();
        $token = $organization->login()->token();

        self::assertSame($token, $organization->login()->token());
        self::assertSame($token, $organization->client()->token());
        self::assertSame(1, $organization->count('logins'));
    }

    public function testTwoClientsAtOnceShareTheTokenAndOutliveEachOther(): void
    {
        $organization = Organization::make();
        $one = $organization->login();
        $two = $organization->login();
        $token = $one->token();
        self::assertSame($token, $two->token());
        unset($one);

        self::assertSame($token, $two->token());
        self::assertSame(1, $organization->count('logins'));
    }

    public function testNothingIsKeptOfAClientThatIsGone(): void
    {
        $kept = new \ReflectionProperty(Client::class, 'tokens');
        $before = $kept->getValue();
        $client = Organization::make()->login();
        self::assertSame($client->token(), $client->token());
        self::assertCount(count($before) + 1, $kept->getValue());
        unset($client);

        self::assertSame($before, $kept->getValue());
    }

    public function testTwoOrganizationsHaveTwoTokens(): void
    {
        $one = Organization::make();
        $two = Organization::make();
        $first = $one->login();
        $second = $two->login();

        self::assertNotSame($first->token(), $second->token());
        self::assertSame($first->token(), $first->token());
        self::assertSame(1, $one->count('logins'));
        self::assertSame(1, $two->count('logins'));
    }

    public function testTheConstructorIsLazy(): void
    {
        $organization = Organization::make();
        $client = $organization->client();
        self::assertSame(0, $organization->count('logins'));

        $client->token();
        self::assertSame(1, $organization->count('logins'));
    }

    public function testLoginIsNot(): void
    {
        $organization = Organization::make();
        $organization->login();

        self::assertSame(1, $organization->count('logins'));
    }

    public function testATokenWithAnEndIsReplacedOnceItHasEnded(): void
    {
        $organization = Organization::make(['token_life' => 2]);
        $client = $organization->login();
        $first = $client->token();
        self::assertSame($first, $client->token());

        sleep(3);
        self::assertNotSame($first, $client->token());
        self::assertSame(200, $organization->statusFor($client->token()));
        self::assertSame(2, $organization->count('logins'));
    }

    public function testATokenThatIsThereAlreadyIsUsed(): void
    {
        $organization = Organization::make();
        $client = $organization->login(['token' => 'held-already']);

        self::assertSame('held-already', $client->token());
        self::assertSame(0, $organization->count('logins'));
    }

    public function testEverythingFromTheEnvironment(): void
    {
        $organization = Organization::make();
        $variables = [
            'TPS_USERNAME' => $organization->username,
            'TPS_PASSWORD' => $organization->password,
            'TPS_ORGANIZATION_ID' => $organization->id,
            'TPS_BASE_URL' => Servers::knox(),
            'TPS_CACHE' => 'memory',
        ];
        $this->withEnvironment($variables, static function () use ($organization): void {
            $token = Client::fromEnvironment()->token();
            self::assertSame(200, $organization->statusFor($token));
            self::assertSame($token, Client::fromEnvironment()->token());
        });
        self::assertSame(1, $organization->count('logins'));
    }

    public function testWhatIsGivenWins(): void
    {
        $organization = Organization::make();
        $variables = [
            'TPS_USERNAME' => 'nobody@example.com',
            'TPS_PASSWORD' => 'nothing',
            'TPS_ORGANIZATION_ID' => 'nowhere',
            'TPS_BASE_URL' => 'http://127.0.0.1:9',
            'TPS_CACHE' => 'nonsense',
            'TPS_CA_FILE' => '',
        ];
        $this->withEnvironment($variables, static function () use ($organization): void {
            self::assertSame(200, $organization->statusFor($organization->login()->token()));
        });
    }

    public function testStatsSayHowManyLoginsThereWere(): void
    {
        $organization = Organization::make();
        $client = $organization->client();
        $before = $client->stats();
        $client->token();
        $after = $client->stats();

        self::assertSame(1, $after['logins'] - $before['logins']);
        self::assertNull($before['token']);
        self::assertSame(substr(hash('sha256', $client->token()), 0, 12), $after['token']['fingerprint']);
        self::assertSame('memory', $after['store']['kind']);
        self::assertSame(Servers::knox(), rtrim($after['base_url'], '/'));
        self::assertMatchesRegularExpression('/^\d+\.\d+\.\d+/', $after['version']);
    }

    /**
     * @param array<string, string> $variables
     */
    private function withEnvironment(array $variables, callable $test): void
    {
        try {
            foreach ($variables as $name => $value) {
                putenv("$name=$value");
            }
            $test();
        } finally {
            array_map(putenv(...), array_keys($variables));
        }
    }
}
