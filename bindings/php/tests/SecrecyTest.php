<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Handler\MockHandler;
use GuzzleHttp\Psr7\Request;
use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Guzzle\Authorize;
use TPS\Http\AuthorizedClient;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

final class SecrecyTest extends TestCase
{
    /**
     * @dataProvider dumps
     */
    public function testNoDumpShowsASecret(callable $dump): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        // Twice, so that the binding keeps it.
        $token = $client->token();
        self::assertSame($token, $client->token());
        $fake = new FakeClient([$token, 'another-' . $token]);
        self::assertSame($token, $fake->token());

        foreach ([$client, $fake] as $one) {
            $sender = new AuthorizedClient(new Guzzle(['base_uri' => Servers::knox()]), $one);
            $sender->sendRequest(new Request('GET', Servers::knox() . '/api/v1/organizations/'));
            foreach ([$one, $sender, new Authorize($one), (new Authorize($one))(new MockHandler())] as $object) {
                $text = $dump($object);
                self::assertNotSame('', $text);
                self::assertStringNotContainsString($token, $text);
                self::assertStringNotContainsString($organization->password, $text);
            }
            self::assertSame($token, $one->token(), 'a dump shall do no harm');
        }
    }

    /**
     * @return array<string, array{callable(object): string}>
     */
    public static function dumps(): array
    {
        return [
            'var_dump' => [static fn (object $object): string => self::printed(static fn () => var_dump($object))],
            'print_r' => [static fn (object $object): string => print_r($object, true)],
            'var_export' => [static fn (object $object): string => var_export($object, true)],
            '(array), print_r' => [static fn (object $object): string => print_r((array) $object, true)],
            '(array), var_dump' => [
                static fn (object $object): string => self::printed(static fn () => var_dump((array) $object)),
            ],
            '(array), var_export' => [static fn (object $object): string => var_export((array) $object, true)],
            'debug_zval_dump' => [
                static fn (object $object): string => self::printed(static fn () => debug_zval_dump($object)),
            ],
            'json_encode' => [static fn (object $object): string => json_encode($object, JSON_THROW_ON_ERROR)],
            'stats' => [
                static fn (object $object): string => $object instanceof Client ? print_r($object->stats(), true) : '-',
            ],
        ];
    }

    public function testAClientBecomesAnEmptyObjectInJson(): void
    {
        self::assertSame('{"client":{}}', json_encode(['client' => Organization::make()->login()]));
    }

    public function testNothingCanBeSerialized(): void
    {
        foreach ([Organization::make()->login(), new FakeClient()] as $client) {
            foreach ([$client, new Authorize($client), ['client' => $client]] as $object) {
                try {
                    self::fail(serialize($object));
                } catch (\LogicException $exception) {
                    self::assertStringContainsString('cannot be serialized', $exception->getMessage());
                }
            }
        }
    }

    /**
     * @testWith ["O:10:\"TPS\\Client\":0:{}"]
     *           ["O:22:\"TPS\\Testing\\FakeClient\":0:{}"]
     */
    public function testAClientCannotBeUnserialized(string $of): void
    {
        $this->expectException(\LogicException::class);
        unserialize($of);
    }

    public function testAClientCannotBeCloned(): void
    {
        foreach ([Organization::make()->login(), new FakeClient()] as $client) {
            try {
                clone $client;
                self::fail('cloned');
            } catch (\Error $error) {
                self::assertStringContainsString('private TPS\Client::__clone()', $error->getMessage());
            }
        }
    }

    /**
     * @dataProvider failures
     */
    public function testNoSecretInATraceWithArguments(string $call): void
    {
        $secrets = ['tps-secret-password', 'tps-secret-token'];
        $environment = ['TPS_TEST_SERVER' => Servers::knox()];
        $prelude = 'require "GuzzleHttp/autoload.php";'
            . '$fake = new TPS\Testing\FakeClient("tps-secret-token");'
            . '$options = ["cache" => "memory", "base_url" => getenv("TPS_TEST_SERVER")];'
            . '$of = ["username" => "a@example.com", "organizationId" => "nowhere"];';
        $flags = ['-d', 'zend.exception_ignore_args=0', '-d', 'zend.exception_string_param_max_len=1000',
            '-d', 'display_errors=1', '-d', 'log_errors=0'];

        // An argument that is not a secret is shown.
        $call = "(function (string \$plain) use (\$options, \$of, \$fake) { $call; })('plain-argument')";

        $uncaught = Child::run("$prelude $call;", $environment, $flags);
        self::assertSame(255, $uncaught->exitCode);
        self::assertMatchesRegularExpression('/(?:Uncaught|Next) TPS\\\\/', $uncaught->stdout);
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
    public static function failures(): array
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
            'a bad script' => ['new TPS\Testing\FakeClient(["tps-secret-token", "tps-secret-token\0"])'],
            'a token that is rejected twice' => [
                '$fake->withToken(fn (string $token) => throw new TPS\Exception\TokenRejectedException())',
            ],
            'a token that was passed on' => [
                '$send = fn (array $headers) => throw new RuntimeException("refused");
                $fake->withToken(function (string $token) use ($send) {
                    try { $send(["headers" => ["Authorization" => "Token $token"]]); } catch (Exception $cause) {
                        throw new TPS\Exception\TokenRejectedException(previous: $cause);
                    }
                })',
            ],
            'no token, PSR-18' => [
                "\$client = new TPS\\Client(...\$of, password: $password, options: \$options);"
                    . '$http = new TPS\Http\AuthorizedClient(new GuzzleHttp\Client(), $client);'
                    . '$http->sendRequest(new GuzzleHttp\Psr7\Request("GET", $options["base_url"]))',
            ],
            'no token, Guzzle' => [
                "\$client = new TPS\\Client(...\$of, password: $password, options: \$options);"
                    . '$stack = GuzzleHttp\HandlerStack::create(); $stack->push(new TPS\Guzzle\Authorize($client));'
                    . '(new GuzzleHttp\Client(["handler" => $stack]))->get($options["base_url"])',
            ],
        ];
    }

    public function testTheLibraryPrintsNothing(): void
    {
        $organization = Organization::make();
        $child = Child::run(
            'try { $c = TPS\Client::fromEnvironment(["token" => null]); $c->token(); $c->invalidate("x"); $c->stats();
            $c->logout(); TPS\Client::login(getenv("TPS_USERNAME"), "wrong", getenv("TPS_ORGANIZATION_ID")); }
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
