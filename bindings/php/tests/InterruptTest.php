<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Handler\CurlMultiHandler;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Promise\Utils;
use PHPUnit\Framework\TestCase;
use TPS\Guzzle\Authorize;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * A login that lasts holds up nothing but itself.
 */
final class InterruptTest extends TestCase
{
    private const LATENCY = 3;

    /**
     * @dataProvider calls
     */
    public function testASignalHandlerRunsMeanwhile(string $before, string $call): void
    {
        $organization = Organization::make(['latency' => self::LATENCY]);
        $child = $this->child($organization, <<<PHP
            \$client = new TPS\\Client(getenv('TPS_USERNAME'), getenv('TPS_PASSWORD'), getenv('TPS_ORGANIZATION_ID'));
            $before;
            pcntl_async_signals(true);
            pcntl_signal(SIGALRM, function () use (&\$start) { echo hrtime(true) - \$start; });
            \$start = hrtime(true);
            pcntl_alarm(1);
            $call;
            echo "\n", hrtime(true) - \$start;
            PHP);

        [$handled, $done] = array_map(static fn (string $ns): float => $ns / 1e9, explode("\n", $child->stdout));
        self::assertEqualsWithDelta(1, $handled, 0.2);
        self::assertGreaterThan(1.2, $done);
    }

    /**
     * @return array<string, array{string, string}>
     */
    public static function calls(): array
    {
        return [
            'token' => ['', '$client->token()'],
            'ready' => ['', '$client->ready(10_000)'],
            'logout' => [
                '$client = new TPS\Client("a", "b", "c", ["token" => "held", "timeout_ms" => 2500,
                    "base_url" => getenv("TPS_TEST_FAULTS") . "/logout-hang/" . bin2hex(random_bytes(8))]); $client->token()',
                'try { $client->logout(); } catch (TPS\Exception\TpsException) { }',
            ],
        ];
    }

    /** An exception is how PHP's programs set a limit of their own. The login goes on, and the next call joins it. */
    public function testAnExceptionOfASignalHandlerEndsTheCallAndNotTheLogin(): void
    {
        $organization = Organization::make(['latency' => self::LATENCY]);
        $child = $this->child($organization, <<<'PHP'
            $client = new TPS\Client(getenv('TPS_USERNAME'), getenv('TPS_PASSWORD'), getenv('TPS_ORGANIZATION_ID'));
            pcntl_async_signals(true);
            pcntl_signal(SIGALRM, fn () => throw new RuntimeException('enough'));
            $start = hrtime(true);
            pcntl_alarm(1);
            try { $client->token(); } catch (RuntimeException $e) { echo $e->getMessage(), (hrtime(true) - $start) / 1e9 < 1.2 ? 1 : 0; }
            echo strlen($client->token()), strlen(TPS\Client::fromEnvironment()->token());
            PHP);

        self::assertSame('enough16464', $child->stdout);
        self::assertSame(1, $organization->count('logins'));
    }

    public function testASignalHandlerMayUseTheClientItself(): void
    {
        $organization = Organization::make(['latency' => self::LATENCY]);
        $child = $this->child($organization, <<<'PHP'
            $client = new TPS\Client(getenv('TPS_USERNAME'), getenv('TPS_PASSWORD'), getenv('TPS_ORGANIZATION_ID'));
            pcntl_async_signals(true);
            $seen = [];
            pcntl_signal(SIGALRM, function () use ($client, &$seen) {
                $seen[] = $client->ready(0);
                $seen[] = $client->stats()['logins'];
                $seen[] = strlen($client->token());
            });
            pcntl_alarm(1);
            $token = $client->token();
            echo json_encode([$seen, strlen($token), $token === $client->token()]);
            PHP);

        self::assertSame('[[false,0,64],64,true]', $child->stdout);
        self::assertSame(1, $organization->count('logins'));
    }

    /** Signals at any instant, those of the fast way too: a timer of 100 microseconds, for a second. */
    public function testManySignals(): void
    {
        $child = $this->child(Organization::make(), <<<'PHP'
            $client = TPS\Client::fromEnvironment();
            $token = $client->token();
            pcntl_async_signals(true);
            $handled = 0;
            pcntl_signal(SIGUSR1, function () use ($client, $token, &$handled) {
                $handled++;
                if ($client->token() !== $token || $client->stats()['logins'] !== 1) { echo 'wrong'; }
            });
            $pid = getmypid();
            $kill = "for (\$i = 0; \$i < 5000 && posix_kill($pid, 10); \$i++) { usleep(100); }";
            $sender = popen("exec 2>&-; php -n -d extension=posix -r '$kill'", 'r');
            $end = hrtime(true) + 1.5e9;
            $asked = 0;
            while (hrtime(true) < $end) {
                for ($i = 0; $i < 100; $i++, $asked++) { if ($client->token() !== $token) { echo 'wrong'; } }
            }
            pcntl_signal(SIGUSR1, SIG_IGN);
            pclose($sender);
            echo $handled > 100 ? 'many' : "only $handled", $client->stats()['logins'];
            PHP);

        self::assertSame(['many1', ''], [$child->stdout, $child->stderr]);
    }

    public function testReady(): void
    {
        $organization = Organization::make(['latency' => 1]);
        $client = $organization->client();

        self::assertFalse($client->ready(0));
        $start = hrtime(true);
        self::assertFalse($client->ready(200));
        self::assertEqualsWithDelta(0.2, (hrtime(true) - $start) / 1e9, 0.15);
        self::assertTrue($client->ready(5000));
        self::assertTrue($client->ready(0));
        self::assertSame(200, $organization->statusFor($client->token()));
        self::assertSame(1, $organization->count('logins'));
    }

    /**
     * Another transfer of the same handler is done while the login lasts, whichever of the two is waited for first.
     *
     * @testWith [false]
     *           [true]
     */
    public function testOtherTransfersGoOnDuringALogin(bool $tokenFirst): void
    {
        $organization = Organization::make(['latency' => self::LATENCY]);
        $stack = HandlerStack::create(new CurlMultiHandler());
        $stack->push(new Authorize($organization->client()));
        $guzzle = new Guzzle(['handler' => $stack, 'http_errors' => false]);

        $start = hrtime(true);
        $done = [];
        $note = static function (string $which) use ($start, &$done): \Closure {
            return static function ($answer) use ($which, $start, &$done) {
                $done[$which] = (hrtime(true) - $start) / 1e9;

                return $answer->getStatusCode();
            };
        };
        $own = $guzzle->getAsync(Servers::knox() . '/api/v1/organizations/')->then($note('own'));
        $other = $guzzle->getAsync(Servers::faults() . '/_count/other')->then($note('other'));
        self::assertLessThan(0.5, (hrtime(true) - $start) / 1e9, 'nothing has waited so far');
        $answers = Utils::unwrap($tokenFirst ? ['own' => $own, 'other' => $other] : ['other' => $other, 'own' => $own]);

        self::assertSame(200, $answers['own']);
        self::assertLessThan(1, $done['other']);
        self::assertGreaterThan(self::LATENCY - 0.5, $done['own']);
        self::assertSame([1, 1], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    private function child(Organization $organization, string $code): Child
    {
        $child = Child::run($code, [
            'TPS_USERNAME' => $organization->username,
            'TPS_PASSWORD' => $organization->password,
            'TPS_ORGANIZATION_ID' => $organization->id,
            'TPS_BASE_URL' => Servers::knox(),
            'TPS_CACHE' => 'memory',
        ]);
        self::assertSame([0, ''], [$child->exitCode, $child->stderr], $child->stdout);

        return $child;
    }
}
