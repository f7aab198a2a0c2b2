<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\ServerException;
use TPS\Exception\TpsException;
use TPS\Status;
use TPS\Tests\Support\Http;
use TPS\Tests\Support\Servers;

/**
 * What goes wrong between here and the server, as PHP sees it.
 */
final class WireTest extends TestCase
{
    private const PASSWORD = 'correct "h<rse" & battéry';

    /**
     * @dataProvider failures
     */
    public function testAFailure(string $scenario, string $status, int $httpStatus): void
    {
        $key = bin2hex(random_bytes(8));
        $exception = $this->thrown(Servers::faults() . "/$scenario/$key");

        self::assertSame($status, strtolower($exception->status->name));
        self::assertStringEndsWith("\\{$exception->status->name}Exception", $exception::class);
        self::assertSame($httpStatus, $exception->httpStatus ?? 0);
        self::assertGreaterThan(0.0, $exception->retryAfter);
        [, $counts] = Http::request('GET', Servers::faults() . "/_count/$key");
        self::assertSame(1, $counts['logins']);
    }

    /**
     * @return iterable<string, array{string, string, int}>
     */
    public static function failures(): iterable
    {
        $failures = file_get_contents(dirname(__DIR__, 3) . '/tests/faults/failures.json');
        foreach (json_decode($failures, associative: true, flags: JSON_THROW_ON_ERROR) as $scenario => [$status, $http]) {
            yield $scenario => [(string) $scenario, str_replace('_', '', $status), $http];
        }
    }

    /**
     * @testWith ["bom"]
     *           ["gzip"]
     *           ["chunked"]
     *           ["early-hints"]
     *           ["http10"]
     *           ["until-the-end"]
     *           ["cookie"]
     */
    public function testOddClothes(string $scenario): void
    {
        $client = $this->login(Servers::faults() . "/$scenario/" . bin2hex(random_bytes(8)));

        self::assertSame(64, strlen($client->token()));
    }

    /**
     * @testWith ["hang"]
     *           ["drip-header"]
     *           ["drip-body"]
     */
    public function testItEndsInTime(string $scenario): void
    {
        $start = hrtime(true);
        $url = Servers::faults() . "/$scenario/" . bin2hex(random_bytes(8));
        $exception = $this->thrown($url, ['timeout_ms' => 2000]);

        self::assertSame(Status::OutcomeUnknown, $exception->status);
        self::assertLessThan(3, (hrtime(true) - $start) / 1e9);
    }

    public function testAnAuthorityOfOnesOwn(): void
    {
        $client = $this->login($this->tls(), ['ca_file' => getenv('TPS_TEST_CA')]);

        self::assertSame(64, strlen($client->token()));
    }

    public function testCertificatesThatAreNotTrusted(): void
    {
        $trusting = ['ca_file' => getenv('TPS_TEST_CA')];
        foreach (
            [
                ['/unknown issuer.*ca_file/', $this->tls(), []],
                ['/another host/', $this->tls(host: 'localhost'), $trusting],
                ['/expired/', $this->tls('TPS_TEST_TLS_EXPIRED'), $trusting],
                ['/self-signed/', $this->tls('TPS_TEST_TLS_SELF'), $trusting],
            ] as [$reason, $url, $options]
        ) {
            $exception = $this->thrown($url, $options);
            self::assertSame(Status::Tls, $exception->status);
            self::assertMatchesRegularExpression($reason, $exception->getMessage());
        }
    }

    public function testAProxyThatDoesNotConnect(): void
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $address = stream_socket_get_name($socket, remote: false);
        fclose($socket);
        $exception = $this->thrown($this->tls(), ['proxy' => "http://clerk:s3same@$address"]);

        self::assertSame(Status::Network, $exception->status);
        self::assertStringContainsString("the proxy $address", $exception->getMessage());
        self::assertStringNotContainsString('s3same', $exception->getMessage());
    }

    public function testAllIsWellAgainAfterTheHoldOff(): void
    {
        $url = Servers::faults() . '/html500,ok/' . bin2hex(random_bytes(8));
        $exception = $this->thrown($url);
        self::assertInstanceOf(ServerException::class, $exception);
        usleep((int) ceil($exception->retryAfter * 1e6));

        self::assertSame(64, strlen($this->login($url)->token()));
    }

    private function tls(string $variable = 'TPS_TEST_TLS', string $host = '127.0.0.1'): string
    {
        return str_replace('127.0.0.1', $host, getenv($variable)) . '/ok/' . bin2hex(random_bytes(8));
    }

    /**
     * @param array<string, mixed> $options
     */
    private function login(string $url, array $options = []): Client
    {
        return Client::login(
            'hari@example.com',
            self::PASSWORD,
            'auhf2k',
            $options + ['base_url' => $url, 'cache' => 'memory'],
        );
    }

    /**
     * @param array<string, mixed> $options
     */
    private function thrown(string $url, array $options = []): TpsException
    {
        try {
            $this->login($url, $options);
        } catch (TpsException $exception) {
            $text = $exception->getMessage() . $exception->getTraceAsString();
            foreach ([self::PASSWORD, 'battéry', 'batt\u00e9ry', 'h&lt;rse', '0123456789abcdef', "\n\t"] as $secret) {
                self::assertStringNotContainsString($secret, $text);
            }

            return $exception;
        }
        self::fail('nothing was thrown');
    }
}
