<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

final class SecrecyTest extends TestCase
{
    /**
     * @dataProvider dumps
     */
    public function testNoDumpOfAClientShowsASecret(callable $dump): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        // Twice, so that the binding keeps it.
        $token = $client->token();
        self::assertSame($token, $client->token());

        $text = $dump($client);
        self::assertNotSame('', $text);
        self::assertStringNotContainsString($token, $text);
        self::assertStringNotContainsString($organization->password, $text);
        self::assertSame($token, $client->token(), 'a dump shall do no harm');
    }

    /**
     * @return array<string, array{callable(Client): string}>
     */
    public function dumps(): array
    {
        return [
            'var_dump' => [static fn (Client $client): string => self::printed(static fn () => var_dump($client))],
            'print_r' => [static fn (Client $client): string => print_r($client, true)],
            'var_export' => [static fn (Client $client): string => var_export($client, true)],
            '(array), print_r' => [static fn (Client $client): string => print_r((array) $client, true)],
            '(array), var_dump' => [
                static fn (Client $client): string => self::printed(static fn () => var_dump((array) $client)),
            ],
            '(array), var_export' => [static fn (Client $client): string => var_export((array) $client, true)],
            'debug_zval_dump' => [
                static fn (Client $client): string => self::printed(static fn () => debug_zval_dump($client)),
            ],
            'json_encode' => [static fn (Client $client): string => json_encode($client, JSON_THROW_ON_ERROR)],
            'stats' => [static fn (Client $client): string => print_r($client->stats(), true)],
        ];
    }

    public function testAClientBecomesAnEmptyObjectInJson(): void
    {
        self::assertSame('{"client":{}}', json_encode(['client' => Organization::make()->login()]));
    }

    public function testAClientCannotBeSerialized(): void
    {
        $client = Organization::make()->login();
        $this->expectException(\LogicException::class);
        serialize($client);
    }

    public function testAClientCannotBeUnserialized(): void
    {
        $this->expectException(\LogicException::class);
        unserialize('O:10:"TPS\Client":0:{}');
    }

    public function testAClientCannotBeCloned(): void
    {
        $client = Organization::make()->login();
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('private TPS\Client::__clone()');
        clone $client;
    }

    /**
     * @dataProvider failures
     */
    public function testNoSecretInATraceWithArguments(string $call): void
    {
        $secrets = ['tps-secret-password', 'tps-secret-token'];
        $environment = ['TPS_TEST_SERVER' => Servers::knox()];
        $prelude = '$options = ["cache" => "memory", "base_url" => getenv("TPS_TEST_SERVER")];'
            . '$of = ["username" => "a@example.com", "organizationId" => "nowhere"];';
        $flags = ['-d', 'zend.exception_ignore_args=0', '-d', 'zend.exception_string_param_max_len=1000',
            '-d', 'display_errors=1', '-d', 'log_errors=0'];

        // One that is no secret shows that arguments are shown.
        $call = "(function (string \$plain) use (\$options, \$of) { $call; })('plain-argument')";

        $uncaught = Child::run("$prelude $call;", $environment, $flags);
        self::assertSame(255, $uncaught->exitCode);
        self::assertStringContainsString('Uncaught TPS\Exception', $uncaught->stdout);
        self::assertStringContainsString('plain-argument', $uncaught->stdout);

        $dumped = Child::run(
            "$prelude try { $call; } catch (TPS\\Exception\\TpsException \$e) {
                do { var_dump(\$e->getMessage(), array_map(fn (\$frame) => array_filter(
                    \$frame, fn (\$key) => \$key !== 'object', ARRAY_FILTER_USE_KEY), \$e->getTrace()));
                } while (\$e = \$e->getPrevious()); }",
            $environment,
            $flags,
        );
        self::assertStringContainsString('plain-argument', $dumped->stdout);
        foreach ($secrets as $secret) {
            self::assertStringNotContainsString($secret, $uncaught->stdout . $uncaught->stderr);
            self::assertStringNotContainsString($secret, $dumped->stdout . $dumped->stderr);
        }
    }

    /**
     * @return array<string, array{string}>
     */
    public function failures(): array
    {
        $password = '"tps-secret-password"';

        return [
            'refused by the server' => ["TPS\\Client::login(...\$of, password: $password, options: \$options)"],
            'refused later' => ["(new TPS\\Client(...\$of, password: $password, options: \$options))->token()"],
            'a bad password' => ['TPS\Client::login(...$of, password: "tps-secret-password\0", options: $options)'],
            'a bad option' => [
                "TPS\\Client::login(...\$of, password: $password, options: ['token' => 'tps-secret-token', 'x' => 1])",
            ],
            'an option that is no JSON' => [
                "TPS\\Client::login(...\$of, password: $password, options: ['token' => ['tps-secret-token', NAN]])",
            ],
            'a bad token' => [
                "\$client = new TPS\\Client(...\$of, password: $password, options: \$options); "
                    . '$client->invalidate("tps-secret-token\0")',
            ],
        ];
    }

    public function testTheLibraryPrintsNothing(): void
    {
        $organization = Organization::make();
        $child = Child::run(
            'try { $c = new TPS\Client(options: ["token" => null]); $c->token(); $c->invalidate("x"); $c->stats();
            $c->logout(); TPS\Client::login(password: "wrong"); }
            catch (TPS\Exception\CredentialsException) { exit(7); }',
            [
                'TPS_USERNAME' => $organization->username,
                'TPS_PASSWORD' => $organization->password,
                'TPS_ORGANIZATION_ID' => $organization->id,
                'TPS_BASE_URL' => Servers::knox(),
                'TPS_CACHE' => 'memory',
            ],
        );

        self::assertSame([7, '', ''], [$child->exitCode, $child->stdout, $child->stderr]);
        self::assertSame(1, $organization->count('logouts'));
    }

    private static function printed(callable $print): string
    {
        ob_start();
        $print();

        return ob_get_clean();
    }
}
