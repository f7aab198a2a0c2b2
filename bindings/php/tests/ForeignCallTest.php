<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Internal\Library;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * What the binding asks of the library, counted between the two by a library that passes every call on (counting.c).
 */
final class ForeignCallTest extends TestCase
{
    private static string $counting;

    public static function setUpBeforeClass(): void
    {
        self::$counting = sys_get_temp_dir() . '/tps-counting-' . getmypid() . '.so';
        $command = ['cc', '-std=c11', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', self::$counting,
            __DIR__ . '/counting.c'];
        $process = proc_open($command, [2 => ['pipe', 'w']], $pipes);
        $errors = stream_get_contents($pipes[2]);
        self::assertSame(0, proc_close($process), $errors);
    }

    public static function tearDownAfterClass(): void
    {
        unlink(self::$counting);
    }

    /**
     * The word tells that a token is there; for one that expires, the library is asked 16 times a second.
     *
     * @dataProvider tokensAtHand
     */
    public function testATokenAtHandIsNoCall(?int $life, string $enable, int $most): void
    {
        $counts = $this->counted(Organization::make(['token_life' => $life]), <<<'PHP'
            $client = TPS\Client::fromEnvironment();
            $client->token();
            $client->token();
            $before = counts();
            for ($i = 0; $i < 1000; $i++) { $client->token(); $client->authorization(); }
            report($before);
            PHP, ['-d', "ffi.enable=$enable"]);

        self::assertLessThanOrEqual($most, $counts['tps_generation'] ?? 0);
        unset($counts['tps_generation']);
        self::assertSame([], $counts);
    }

    /**
     * @return array<string, array{int|null, string, int}>
     */
    public static function tokensAtHand(): array
    {
        return [
            'for ever' => [null, '1', 0],
            'for ever, FFI is for preloaded code' => [null, 'preload', 0],
            // As many as in 20 seconds.
            'with an expiry' => [36_000, '1', 320],
            'with an expiry, FFI is for preloaded code' => [36_000, 'preload', 320],
        ];
    }

    /** The client's URL, which the stats have, is looked up once. */
    public function testADecoratedRequestCostsWhatItsTokenCosts(): void
    {
        $counts = $this->counted(Organization::make(['token_life' => 36_000]), <<<'PHP'
            require 'GuzzleHttp/autoload.php';
            $client = TPS\Client::fromEnvironment();
            $http = new TPS\Http\AuthorizedClient(new GuzzleHttp\Client(), $client);
            $request = new GuzzleHttp\Psr7\Request('GET', $client->baseUrl() . '/api/v1/organizations/');
            $http->sendRequest($request);
            $before = counts();
            for ($i = 0; $i < 5; $i++) { $http->sendRequest($request); }
            report($before);
            PHP);

        self::assertLessThanOrEqual(5, $counts['tps_generation'] ?? 0);
        unset($counts['tps_generation']);
        self::assertSame([], $counts);
    }

    public function testAWarmPageCostsAFewCallsAndNoLogin(): void
    {
        $counts = $this->counted(Organization::make(), <<<'PHP'
            TPS\Client::fromEnvironment()->token();
            $before = counts();
            $client = TPS\Client::fromEnvironment();
            $client->token();
            $client->token();
            unset($client);
            report($before);
            PHP);

        self::assertEquals([
            'tps_login' => 1,
            'tps_token' => 1,
            'tps_free' => 2,
            'tps_generation' => 2,
            'tps_generation_word' => 1,
            'handed_out' => 2,
            'freed' => 2,
        ], $counts);
    }

    /**
     * @dataProvider lives
     */
    public function testEverythingIsFreedOnce(string $life): void
    {
        $organization = Organization::make();
        $counts = $this->counted($organization, <<<PHP
            \$life = function () { $life };
            try { \$life(); } catch (TPS\\Exception\\TpsException) { }
            report([]);
            PHP);

        self::assertGreaterThan(0, $counts['handed_out']);
        self::assertSame($counts['handed_out'], $counts['freed']);
        self::assertSame($counts['freed'], $counts['tps_free'], 'NULL was freed');
    }

    /**
     * @return array<string, array{string}>
     */
    public static function lives(): array
    {
        return [
            'a token' => ['for ($i = 0; $i < 9; $i++) { TPS\Client::fromEnvironment()->token(); }'],
            'stats' => ['TPS\Client::fromEnvironment()->stats();'],
            'a rejected token' => ['$c = TPS\Client::fromEnvironment(); $c->invalidate($c->token()); $c->token();'],
            'logout' => ['$c = TPS\Client::fromEnvironment(); $c->logout();'],
            'a failed login' => ['TPS\Client::login(getenv("TPS_USERNAME"), "wrong", getenv("TPS_ORGANIZATION_ID"));'],
            'a failed token' => ['$c = new TPS\Client(getenv("TPS_USERNAME"), "wrong", getenv("TPS_ORGANIZATION_ID")); $c->token();'],
            'a refused option' => ['new TPS\Client("a", "b", "c", ["colour" => "red"]);'],
            'a client closed by hand' => [
                'for ($i = 0; $i < 1000; $i++) { $c = new TPS\Client("a", "b", "c"); $c->close(); $c->close(); unset($c); }',
            ],
            'a token refused twice' => ['TPS\Client::fromEnvironment()->withToken(fn () => 401);'],
            'a client in a global' => ['$GLOBALS["client"] = TPS\Client::fromEnvironment(); unset($GLOBALS["client"]);'],
        ];
    }

    /**
     * PHP passes a string of its own for any pointer, without a word.
     */
    public function testFreeLeavesWhatIsNotTheLibrarysAlone(): void
    {
        $child = Child::run(<<<'PHP'
            $library = TPS\Internal\Library::find();
            $ffi = FFI::cdef(TPS\Internal\Declarations::C, $library->file);
            $strings = ['', 'abc', str_repeat('x', 15), str_repeat('long', 1000), random_bytes(64)];
            $copies = unserialize(serialize($strings));
            for ($i = 0; $i < 100; $i++) {
                foreach ($strings as $string) { $ffi->tps_free($string); }
            }
            $ffi->tps_free(null);
            echo $strings === $copies ? 'unharmed' : 'changed';
            PHP);

        self::assertSame([0, 'unharmed', ''], [$child->exitCode, $child->stdout, $child->stderr]);
    }

    public function testOnlyOneFileKnowsFfi(): void
    {
        $sources = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(
            Child::package() . '/src',
            \FilesystemIterator::SKIP_DOTS,
        ));
        $knowing = [];
        foreach ($sources as $source) {
            $code = file_get_contents($source->getPathname());
            if (preg_match('/\bFFI(::|\\\\|->)|\\\\FFI\b|->tps_\w+\(/', $code) === 1) {
                $knowing[] = $source->getFilename();
            }
        }

        self::assertSame(['Native.php'], $knowing);
    }

    /**
     * @param list<string> $flags of PHP
     *
     * @return array<string, int> what differs from 0, by name
     */
    private function counted(Organization $organization, string $code, array $flags = []): array
    {
        $prelude = <<<'PHP'
            function counts(): array
            {
                $library = FFI::cdef('const char *counted(void);', getenv('TPS_LIBRARY'));

                return json_decode($library->counted(), true);
            }
            function report(array $before): void
            {
                foreach (counts() as $name => $count) { $counts[$name] = $count - ($before[$name] ?? 0); }
                echo json_encode(array_filter($counts));
            }
            PHP;
        $child = Child::run("$prelude $code", [
            'TPS_LIBRARY' => self::$counting,
            'TPS_COUNTED' => Library::find()->file,
            'TPS_USERNAME' => $organization->username,
            'TPS_PASSWORD' => $organization->password,
            'TPS_ORGANIZATION_ID' => $organization->id,
            'TPS_BASE_URL' => Servers::knox(),
            'TPS_CACHE' => 'memory',
        ], $flags);
        self::assertSame([0, ''], [$child->exitCode, $child->stderr], $child->stdout);

        return json_decode($child->stdout, associative: true, flags: JSON_THROW_ON_ERROR);
    }
}
