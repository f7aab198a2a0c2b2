<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * A worker that runs for months, and the end of a client.
 */
final class LongLifeTest extends TestCase
{
    public function testMemoryIsFlatOver100000TokensWithExceptionsInBetween(): void
    {
        $organization = Organization::make();
        $child = $this->worker($organization, <<<'PHP'
            $client = TPS\Client::fromEnvironment();
            $wrong = new TPS\Client(getenv('TPS_USERNAME'), 'wrong', getenv('TPS_ORGANIZATION_ID'));
            $thrown = 0;
            $work = function (int $times) use ($client, $wrong, &$thrown): void {
                for ($i = 0; $i < $times; $i++) {
                    $client->token();
                    if ($i % 10 === 0) {
                        foreach ([fn () => $wrong->token(), fn () => $client->invalidate(''),
                            fn () => new TPS\Client('a', 'b', 'c', ['colour' => 'red']),
                            fn () => TPS\Client::login(getenv('TPS_USERNAME'), 'wrong', getenv('TPS_ORGANIZATION_ID')),
                            fn () => $client->withToken(fn () => throw new RuntimeException()),
                        ] as $failing) {
                            try { $failing(); } catch (RuntimeException|LogicException) { $thrown++; }
                        }
                        TPS\Client::fromEnvironment()->stats();
                    }
                }
            };
            $memory = function (): array {
                gc_collect_cycles();
                preg_match('/^VmRSS:\s*(\d+) kB/m', file_get_contents('/proc/self/status'), $match);
                return [memory_get_usage(), (int) $match[1]];
            };
            $work(10_000);
            $before = $memory();
            $work(100_000);
            $after = $memory();
            echo json_encode([$thrown, $after[0] - $before[0], $after[1] - $before[1], $client->stats()['logins']]);
            PHP);
        [$thrown, $ofPhp, $resident, $logins] = json_decode($child->stdout);

        self::assertSame(5 * 11_000, $thrown);
        self::assertLessThan(16 * 1024, $ofPhp, 'bytes by which the memory of PHP has grown');
        // In 10,000 rounds: what each left behind would be megabytes.
        self::assertLessThan(512, $resident, 'KiB by which the process has grown');
        self::assertSame(1, $logins);
        self::assertSame(2, $organization->count('logins'), 'the right one and the wrong one');
    }

    public function testAThousandClientsClosedByHandAndThenCollected(): void
    {
        $organization = Organization::make();
        $child = $this->worker($organization, <<<'PHP'
            for ($i = 0; $i < 1000; $i++) {
                $client = $i % 2 ? TPS\Client::fromEnvironment() : new TPS\Client("a@example.com", "b", "c");
                $client->close();
                $client->close();
                $cycle = (object) ['client' => $client];
                $cycle->itself = $cycle;
                unset($client, $cycle);
                gc_collect_cycles();
            }
            echo TPS\Client::fromEnvironment()->stats()['logins'];
            PHP);

        self::assertSame('1', $child->stdout);
    }

    public function testAClosedClientSaysSo(): void
    {
        foreach ([Organization::make()->login(), new FakeClient()] as $client) {
            $token = $client->token();
            $client->close();
            $client->close();
            $calls = [
                $client->token(...),
                $client->authorization(...),
                $client->logout(...),
                $client->stats(...),
                static fn () => $client->invalidate($token),
                static fn () => $client->withToken(static fn (): int => 200),
            ];
            foreach ($calls as $number => $call) {
                try {
                    $call();
                    self::fail("call $number");
                } catch (\LogicException $exception) {
                    self::assertSame('this TPS\Client is closed: make another one', $exception->getMessage());
                }
            }
            self::assertSame('{}', json_encode($client));
        }
    }

    public function testTheTokenOutlivesTheClient(): void
    {
        $organization = Organization::make();
        $client = $organization->login();
        $other = $organization->login();
        $token = $client->token();
        $client->close();

        self::assertSame($token, $other->token());
        self::assertSame($token, $organization->login()->token());
        self::assertSame(1, $organization->count('logins'));
    }

    private function worker(Organization $organization, string $code): Child
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
