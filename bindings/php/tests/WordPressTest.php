<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\LoginBudgetException;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Http;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Rejecting;
use TPS\Tests\Support\Servers;
use TPS\WordPress\Remote;

/**
 * TPS\WordPress\Remote with functions that have the real ones' shapes.
 */
final class WordPressTest extends TestCase
{
    use Rejecting;

    public static function setUpBeforeClass(): void
    {
        require_once __DIR__ . '/Support/Hosts/wordpress-http.php';
    }

    public function testARevokedTokenCostsOneRetryAndOneLogin(): void
    {
        $this->assertOneRetry(static function (Client $client, string $url): string {
            $answer = Remote::get($client, $url);
            self::assertSame(200, wp_remote_retrieve_response_code($answer));

            return json_decode(wp_remote_retrieve_body($answer))->results[0]->name;
        });
    }

    public function testTheHeaderGoesToTheOwnOriginAloneAndAlongNoRedirect(): void
    {
        $key = bin2hex(random_bytes(8));
        $client = new FakeClient(baseUrl: Servers::faults());
        $path = "/organizations-redirect302/$key/api/v1/organizations/";
        $answer = Remote::get($client, Servers::faults() . $path, ['headers' => ['authorization' => 'Token stale', 'X-A' => 'b']]);
        self::assertSame(302, wp_remote_retrieve_response_code($answer));
        $text = "authorization: Token stale\r\nX-A: of a text\r\n";
        Remote::get($client, Servers::faults() . "/ok/$key/api/v1/organizations/", ['headers' => $text]);
        Remote::post($client, str_replace('127.0.0.1', 'localhost', Servers::faults()) . "/ok/$key/api/v1/assets/");

        $log = Http::request('GET', Servers::faults() . "/_count/$key")[1]['log'];
        // The fault server knows no such token: the second request was repeated.
        [$first, $text, $again, $second] = $log;
        self::assertSame($text['line'], $again['line']);
        self::assertSame(['Token fake-token', 'b'], [$first['headers']['authorization'], $first['headers']['x-a']]);
        self::assertSame(['Token fake-token', 'of a text'], [$text['headers']['authorization'], $text['headers']['x-a']]);
        self::assertStringStartsWith('POST /ok/', $second['line']);
        self::assertArrayNotHasKey('authorization', $second['headers']);
    }

    public function testNoTokenIsAnErrorOfWordPress(): void
    {
        $client = new FakeClient(new LoginBudgetException('the budget is used up', retryAfter: 60.0));
        $answer = Remote::get($client, 'https://app.tpstreams.com/api/v1/assets/');

        self::assertTrue(is_wp_error($answer));
        self::assertSame('tps_login_budget', $answer->get_error_code());
        self::assertSame('the budget is used up', $answer->get_error_message());
        self::assertSame(
            ['status' => 11, 'http_status' => null, 'retry_after' => 60.0],
            $answer->get_error_data(),
        );
    }

    public function testAnErrorOfWordPressIsTheCallers(): void
    {
        $client = new FakeClient(baseUrl: 'http://127.0.0.1:9');

        self::assertSame('http_request_failed', Remote::get($client, 'http://127.0.0.1:9/')->get_error_code());
        self::assertSame([], $client->rejected());
    }

    /** For the activation hook of a plugin. */
    public function testWhyItIsUnavailable(): void
    {
        self::assertNull(Client::unavailableReason());
        $child = Child::run('echo TPS\Client::unavailableReason();', flags: ['-d', 'ffi.enable=0']);
        self::assertStringContainsString('ffi.enable=0', $child->stdout);
        self::assertSame('', $child->stderr);
    }

    public function testNoCredentials(): void
    {
        $answer = Remote::get(new Client(), 'https://app.tpstreams.com/');
        self::assertSame('tps_invalid_argument', $answer->get_error_code());
        self::assertSame(0, Organization::make()->count('logins'));
    }
}
