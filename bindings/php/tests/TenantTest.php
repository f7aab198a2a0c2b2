<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\InvalidArgumentException;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * What the environment has belongs to one account, and serves no other.
 */
final class TenantTest extends TestCase
{
    private string $store;

    protected function setUp(): void
    {
        $this->store = sys_get_temp_dir() . '/tps-test-' . bin2hex(random_bytes(6));
    }

    protected function tearDown(): void
    {
        exec('rm -rf ' . escapeshellarg($this->store));
    }

    /** In one process and in one store, with all of one tenant's in the environment. */
    public function testNoTokenCrosses(): void
    {
        [$own, $other] = [Organization::make(), Organization::make()];
        $code = '$of = fn (string $name): string => getenv("OTHER_$name");
            $other = TPS\Client::login($of("USERNAME"), $of("PASSWORD"), $of("ORGANIZATION_ID"));
            $own = TPS\Client::fromEnvironment();
            echo json_encode([$own->token(), $other->token()]);';
        $environment = [
            'TPS_TOKEN' => 'held-by-the-first-tenant',
            'TPS_CACHE' => "file:$this->store",
            'OTHER_USERNAME' => $other->username,
            'OTHER_PASSWORD' => $other->password,
            'OTHER_ORGANIZATION_ID' => $other->id,
        ] + self::environment($own);
        // The second process finds both in the store.
        foreach ([1, 2] as $process) {
            $child = Child::run($code, $environment);
            self::assertSame([0, ''], [$child->exitCode, $child->stderr], $child->stdout);
            $tokens = json_decode($child->stdout);
            self::assertSame('held-by-the-first-tenant', $tokens[0], "process $process");
            self::assertSame(200, $other->statusFor($tokens[1]), "process $process");
        }
        self::assertSame([0, 1], [$own->count('logins'), $other->count('logins')]);
    }

    /**
     * @dataProvider missing
     */
    public function testNothingStandsInForAMissingCredential(string $missing): void
    {
        $organization = Organization::make();
        $given = [$missing => null] + $organization->credentials();
        $this->withEnvironment(self::environment($organization), static function () use ($given, $missing): void {
            try {
                Client::login(...$given);
                self::fail('nothing was thrown');
            } catch (InvalidArgumentException $exception) {
                self::assertStringContainsString("$missing: null", $exception->getMessage());
            }
            // An application without credentials starts.
            $client = new Client(...$given);
            foreach ([$client->token(...), $client->stats(...), static fn () => $client->invalidate('x')] as $call) {
                try {
                    $call();
                    self::fail('nothing was thrown');
                } catch (InvalidArgumentException $exception) {
                    self::assertStringContainsString("$missing: null", $exception->getMessage());
                }
            }
        });
        self::assertSame(0, $organization->count('logins'));
    }

    /**
     * @return array<string, array{string}>
     */
    public static function missing(): array
    {
        return ['username' => ['username'], 'password' => ['password'], 'organizationId' => ['organizationId']];
    }

    public function testTheEnvironmentGivesAllOrNothing(): void
    {
        $variables = self::environment(Organization::make());
        unset($variables['TPS_PASSWORD'], $variables['TPS_ORGANIZATION_ID']);
        $this->withEnvironment($variables + ['TPS_PASSWORD' => ''], function (): void {
            $this->expectException(InvalidArgumentException::class);
            $this->expectExceptionMessage('not set in the environment: TPS_PASSWORD, TPS_ORGANIZATION_ID.');
            Client::fromEnvironment();
        });
    }

    public function testATokenThatIsGivenWins(): void
    {
        $variables = ['TPS_TOKEN' => 'of-the-environment'] + self::environment(Organization::make());
        $this->withEnvironment($variables, static function (): void {
            self::assertSame('given', Client::fromEnvironment(['token' => 'given'])->token());
        });
    }

    /** As Dotenv leaves them; and getenv() is often forbidden on shared hosts. */
    public function testCredentialsThatOnlyPhpKnows(): void
    {
        $organization = Organization::make();
        $fill = '';
        foreach (self::environment($organization) as $name => $value) {
            $fill .= '$_ENV[' . var_export($name, true) . '] = ' . var_export($value, true) . ';';
        }
        $child = Child::run(
            "$fill echo TPS\\Client::fromEnvironment()->token();",
            flags: ['-d', 'disable_functions=getenv,putenv'],
        );

        self::assertSame([0, ''], [$child->exitCode, $child->stderr], $child->stdout);
        self::assertSame(200, $organization->statusFor($child->stdout));
    }

    /** The real one, as Laravel and many others use it: it leaves the environment of the process alone. */
    public function testDotenv(): void
    {
        $organization = Organization::make();
        mkdir($this->store);
        $lines = '';
        foreach (self::environment($organization) as $name => $value) {
            $lines .= "$name=\"$value\"\n";
        }
        file_put_contents("$this->store/.env", $lines);
        $child = Child::run("require 'Dotenv/autoload.php'; require 'PhpOption/autoload.php';
            Dotenv\\Dotenv::createImmutable('$this->store')->load();
            echo json_encode([getenv('TPS_PASSWORD'), TPS\\Client::fromEnvironment()->token()]);");

        self::assertSame([0, ''], [$child->exitCode, $child->stderr], $child->stdout);
        [$getenv, $token] = json_decode($child->stdout);
        self::assertFalse($getenv);
        self::assertSame(200, $organization->statusFor($token));
    }

    /**
     * @return array<string, string>
     */
    private static function environment(Organization $organization): array
    {
        return [
            'TPS_USERNAME' => $organization->username,
            'TPS_PASSWORD' => $organization->password,
            'TPS_ORGANIZATION_ID' => $organization->id,
            'TPS_BASE_URL' => Servers::knox(),
            'TPS_CACHE' => 'memory',
        ];
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
