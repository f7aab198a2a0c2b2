<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Internal\Library;
use TPS\Package;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * The package as its users get it: written by package.sh, installed by Composer into an empty project, offline.
 */
final class PackageTest extends TestCase
{
    private static string $directory;

    private static string $archive;

    public static function setUpBeforeClass(): void
    {
        self::$directory = sys_get_temp_dir() . '/tps-package-' . bin2hex(random_bytes(6));
        mkdir(self::$directory . '/archives', recursive: true);
        mkdir(self::$directory . '/project');
        // Nobody's rights but those in the archive; the user who builds may have another umask.
        $made = Child::start(['sh', '-c', 'umask 077; exec "$0" "$1"', Child::package() . '/package.sh',
            self::$directory . '/archives']);
        self::assertSame([0, ''], [$made->exitCode, $made->stderr]);
        self::$archive = trim($made->stdout);

        file_put_contents(self::$directory . '/project/composer.json', json_encode([
            'repositories' => [
                ['type' => 'artifact', 'url' => '../archives'],
                ['packagist.org' => false],
            ],
            'require' => ['tps/tps' => Library::NEEDED],
        ]));
        $installed = Child::start(
            ['composer', 'install', '--no-interaction', '--no-progress', '--working-dir', self::$directory . '/project'],
            [
                'COMPOSER_HOME' => self::$directory . '/composer',
                'COMPOSER_ALLOW_SUPERUSER' => '1',
                'COMPOSER_DISABLE_NETWORK' => '1',
            ],
        );
        self::assertSame(0, $installed->exitCode, $installed->stdout . $installed->stderr);
    }

    public static function tearDownAfterClass(): void
    {
        exec('rm -rf ' . escapeshellarg(self::$directory));
    }

    public function testTheArchiveHoldsWhatIsNeededAndNoMore(): void
    {
        $sources = Child::start(['git', '-C', Child::package(), 'ls-files', 'src'])->stdout;
        $wanted = [...explode("\n", trim($sources)), 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'autoload.php',
            'bin/tps-preload', 'composer.json', 'config/tps.php', self::library(), 'preload.php', 'version.php'];
        sort($wanted);
        $zip = new \ZipArchive();
        self::assertTrue($zip->open(self::$archive));
        $modes = [];
        for ($i = 0; $i < $zip->numFiles; $i++) {
            $zip->getExternalAttributesIndex($i, $system, $attributes);
            $modes[$zip->getNameIndex($i)] = sprintf('%o', $attributes >> 16);
        }
        $named = array_keys($modes);
        sort($named);

        self::assertSame($wanted, $named);
        self::assertSame('100755', $modes['bin/tps-preload']);
        unset($modes['bin/tps-preload']);
        self::assertSame(['100644'], array_values(array_unique($modes)));
        self::assertMatchesRegularExpression('~/tps-tps-\d+\.\d+\.\d+\.zip$~', self::$archive);
        self::assertLessThan(3.5 * 1024 * 1024, filesize(self::installed(self::library())));
    }

    public function testTheSameCommitMakesTheSameArchive(): void
    {
        $other = self::$directory . '/other';
        mkdir($other);
        $made = Child::start([Child::package() . '/package.sh', $other]);

        self::assertSame(hash_file('sha256', self::$archive), hash_file('sha256', trim($made->stdout)));
    }

    /** One archive for all platforms, so that Composer has no choice to get wrong. */
    public function testOneArchiveHoldsTheLibrariesOfAllPlatforms(): void
    {
        $other = self::$directory . '/platforms';
        mkdir($other);
        file_put_contents("$other/libtps.so", 'of arm64');
        $library = self::installed(self::library());
        $made = Child::start([Child::package() . '/package.sh', $other, "aarch64-linux-musl=$other/libtps.so",
            "x86_64-linux-gnu=$library"]);
        $zip = new \ZipArchive();
        self::assertTrue($zip->open(trim($made->stdout)), $made->stderr);

        self::assertSame('of arm64', $zip->getFromName('lib/aarch64-linux-musl/libtps.so'));
        self::assertSame(file_get_contents($library), $zip->getFromName('lib/x86_64-linux-gnu/libtps.so'));
        self::assertSame(basename(self::$archive), basename(trim($made->stdout)));
    }

    public function testTheVersionIsTheLibrarys(): void
    {
        $composer = json_decode(file_get_contents(self::installed('composer.json')), associative: true);
        $child = $this->outside('echo (new TPS\Client("a@example.com", "b", "c"))->stats()["version"];');

        self::assertSame([$child->stdout, false], [$composer['version'], isset($composer['autoload-dev'])]);
        self::assertSame($child->stdout, Package::VERSION);
        self::assertStringContainsString("'$child->stdout'", file_get_contents(self::installed('version.php')));
    }

    public function testTheLibraryExportsItsFunctionsAndNothingElse(): void
    {
        $symbols = Child::start(['nm', '-D', '--defined-only', self::installed(self::library())])->stdout;
        preg_match_all('/^\S+ \S (\S+)$/m', $symbols, $exported);
        preg_match_all('/\b(tps_\w+)\(/', file_get_contents(__DIR__ . '/../../../include/tps_ffi.h'), $declared);
        sort($exported[1]);
        sort($declared[1]);

        self::assertNotEmpty($declared[1]);
        self::assertSame($declared[1], $exported[1]);
    }

    /**
     * A script outside of the repository: a login, a token, and a request with one that was revoked.
     *
     * @dataProvider ways
     */
    public function testOneRetryAndOneLoginForARevokedToken(string $send): void
    {
        $organization = Organization::make();
        $child = $this->outside(<<<PHP
            require 'GuzzleHttp/autoload.php';
            \$client = TPS\Client::fromEnvironment();
            \$first = \$client->token();
            \$request = new GuzzleHttp\Psr7\Request('GET', getenv('TPS_BASE_URL') . '/api/v1/organizations/');
            \$sent = [];
            \$stack = GuzzleHttp\HandlerStack::create();
            \$stack->push(GuzzleHttp\Middleware::history(\$sent));
            file_get_contents(getenv('TPS_BASE_URL') . '/_test/organizations/' . getenv('TPS_ORGANIZATION_ID') . '/revoke/',
                false, stream_context_create(['http' => ['method' => 'POST']]));
            \$answer = $send;
            echo json_encode([\$answer->getStatusCode(), count(\$sent), \$client->stats()['logins'],
                \$first !== \$client->token(), TPS\Internal\Library::find()->file]);
            PHP, $organization);

        self::assertSame(json_encode([200, 2, 2, true, self::installed(self::library())]), $child->stdout);
        self::assertSame([2, 1], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    /**
     * @return array<string, array{string}>
     */
    public static function ways(): array
    {
        return [
            'PSR-18' => [
                '(new TPS\Http\AuthorizedClient(new GuzzleHttp\Client(["handler" => $stack]), $client))
                    ->sendRequest($request)',
            ],
            'Guzzle' => [
                '(function () use ($client, $request, &$sent) {
                    $stack = GuzzleHttp\HandlerStack::create();
                    $stack->push(new TPS\Guzzle\Authorize($client));
                    $stack->push(GuzzleHttp\Middleware::history($sent));
                    return (new GuzzleHttp\Client(["handler" => $stack]))->send($request);
                })()',
            ],
            'withToken' => [
                '$client->withToken(fn (string $token) =>
                    (new GuzzleHttp\Client(["handler" => $stack, "http_errors" => false]))
                        ->send($request->withHeader("Authorization", "Token $token")))',
            ],
        ];
    }

    public function testTheDirectoryForPreloadingIsWrittenByComposersCommand(): void
    {
        $directory = self::$directory . '/preload';
        $child = Child::start([self::$directory . '/project/vendor/bin/tps-preload', $directory]);

        self::assertSame([0, ''], [$child->exitCode, $child->stderr]);
        self::assertStringContainsString("opcache.preload = $directory/preload.php", $child->stdout);
        self::assertStringContainsString("#define FFI_LIB \"$directory/" . self::library() . '"', file_get_contents("$directory/tps.h"));
    }

    /** No look at a place that only this repository has. */
    public function testTheShippedPackageKnowsNoBuildTree(): void
    {
        $sources = Child::start(['grep', '-rlE', 'target/(release|debug)', self::installed('src'), self::installed('bin')]);

        self::assertSame('', $sources->stdout);
    }

    private static function library(): string
    {
        return 'lib/' . php_uname('m') . '-linux-gnu/libtps.so';
    }

    private static function installed(string $file): string
    {
        return self::$directory . "/project/vendor/tps/tps/$file";
    }

    private function outside(string $code, ?Organization $organization = null): Child
    {
        $script = self::$directory . '/project/script.php';
        file_put_contents($script, "<?php require 'vendor/autoload.php'; $code");
        $child = Child::start([PHP_BINARY, $script], [
            'TPS_LIBRARY' => '',
            'TPS_USERNAME' => $organization?->username ?? '',
            'TPS_PASSWORD' => $organization?->password ?? '',
            'TPS_ORGANIZATION_ID' => $organization?->id ?? '',
            'TPS_BASE_URL' => Servers::knox(),
            'TPS_CACHE' => 'memory',
        ]);
        self::assertSame([0, ''], [$child->exitCode, $child->stderr], $child->stdout);

        return $child;
    }
}
