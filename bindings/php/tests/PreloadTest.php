<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Tests\Support\Child;

/**
 * What opcache.preload and ffi.preload are given. FPM itself with both: tests/fpm in the repository.
 */
final class PreloadTest extends TestCase
{
    private const CALL = 'new TPS\Client("a@example.com", "b", "c", ["cache" => "memory"])';

    private string $file;

    protected function setUp(): void
    {
        $this->file = tempnam(sys_get_temp_dir(), 'tps-test-');
    }

    protected function tearDown(): void
    {
        unlink($this->file);
        exec('rm -rf ' . escapeshellarg("$this->file.d"));
    }

    /** Those that implement interfaces of PSR-18 only with them: they are no part of the package. */
    public function testEveryClassIsPreloaded(): void
    {
        $child = self::preloading(Child::package() . '/preload.php');
        $classes = preg_grep('/^TPS\\\\(?:Http|Guzzle|HttPlug|Laravel|Symfony)\\\\/', self::classes(), PREG_GREP_INVERT);

        self::assertSame([json_encode(array_values($classes)), ''], [$child->stdout, $child->stderr]);
    }

    public function testEveryClassIsPreloadedWhereThereIsWhatItExtends(): void
    {
        file_put_contents($this->file, sprintf(
            '<?php require "GuzzleHttp/autoload.php"; require "Psr/Http/Client/autoload.php"; require %s;
            require "Symfony/Component/HttpClient/autoload.php"; require %s;',
            var_export(__DIR__ . '/Support/Hosts/php-http.php', true),
            var_export(Child::package() . '/preload.php', true),
        ));
        $child = self::preloading($this->file);

        $classes = array_values(preg_grep('/^TPS\\\\Laravel\\\\/', self::classes(), PREG_GREP_INVERT));
        self::assertSame([json_encode($classes), ''], [$child->stdout, $child->stderr]);
    }

    /** Some of the classes are there already, and the page loads them in its own way afterwards. */
    public function testItSuitsAPreloadFileOfOnesOwn(): void
    {
        file_put_contents($this->file, sprintf(
            '<?php require %s; class_exists(TPS\Exception\NetworkException::class); require %s; require %2$s;',
            var_export(Child::package() . '/autoload.php', true),
            var_export(Child::package() . '/preload.php', true),
        ));

        $child = self::preloading($this->file);
        self::assertStringContainsString('"TPS\\\\Client"', $child->stdout);
        self::assertSame('', $child->stderr);
    }

    public function testTheHeaderLoadsTheLibrary(): void
    {
        self::directory("$this->file.d");
        $header = "$this->file.d/tps.h";

        // So that it is not found in the usual way.
        $environment = ['TPS_LIBRARY' => '/nonexistent'];
        self::assertSame('nothing', Child::thrown(self::CALL, $environment, ['-d', "ffi.preload=$header"]));
        self::assertStringStartsWith('TPS\Exception\LibraryException', Child::thrown(self::CALL, $environment));
    }

    public function testTheDirectoryIsRefusedForALibraryThatCannotBeLoaded(): void
    {
        $child = self::directory("$this->file.d", ['TPS_LIBRARY' => '/nonexistent/libtps.so']);

        self::assertSame([1, ''], [$child->exitCode, $child->stdout]);
        self::assertStringContainsString('/nonexistent/libtps.so', $child->stderr);
    }

    public function testADirectoryThatCannotBeWritten(): void
    {
        $child = self::directory("$this->file/d");

        self::assertSame([1, ''], [$child->exitCode, $child->stdout]);
        self::assertStringContainsString("$this->file/d cannot be written", $child->stderr);
    }

    /** An upgrade: workers that use the old library go on. */
    public function testTheDirectoryIsWrittenAnewByRenaming(): void
    {
        self::directory("$this->file.d");
        $library = glob("$this->file.d/lib/*/libtps.so")[0];
        $before = fileinode($library);
        self::assertSame(0, self::directory("$this->file.d")->exitCode);
        clearstatcache();

        self::assertNotSame($before, fileinode($library));
        self::assertSame([], glob("$this->file.d/*.new"));
    }

    /** Its classes come first: a site with a newer package must not get them without a word. */
    public function testASiteWithANewerPackageIsTold(): void
    {
        self::directory("$this->file.d");
        $file = "$this->file.d/src/Package.php";
        file_put_contents($file, str_replace("VERSION = '", "VERSION = '0.0.", file_get_contents($file)));
        $child = Child::run(
            'echo TPS\Client::unavailableReason();',
            flags: self::flags("$this->file.d/preload.php"),
        );

        self::assertStringContainsString("but PHP has preloaded 0.0.0.2.0 from $this->file.d", $child->stdout);
        self::assertStringContainsString("bin/tps-preload $this->file.d` and restart PHP-FPM", $child->stdout);
    }

    /**
     * @return list<string>
     */
    private static function classes(): array
    {
        $sources = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(
            Child::package() . '/src',
            \FilesystemIterator::SKIP_DOTS,
        ));
        foreach ($sources as $source) {
            $file = substr($source->getPathname(), strlen(Child::package() . '/src/'), -strlen('.php'));
            $classes[] = 'TPS\\' . strtr($file, '/', '\\');
        }
        sort($classes);

        return $classes;
    }

    /**
     * A PHP with that in opcache.preload, which tells the classes of TPS that were there before its first line.
     */
    private static function preloading(string $file): Child
    {
        return Child::run(
            '$preloaded = preg_grep("/^TPS\\\\\\\\/", opcache_get_status(false)["preload_statistics"]["classes"]);
            sort($preloaded); echo json_encode($preloaded);',
            flags: self::flags($file),
        );
    }

    /**
     * @return list<string>
     */
    private static function flags(string $file): array
    {
        // opcache.preload_user: what PHP asks of root alone.
        return ['-d', 'opcache.enable_cli=1', '-d', "opcache.preload=$file", '-d', 'opcache.preload_user=root'];
    }

    /**
     * @param array<string, string> $environment
     */
    private static function directory(string $directory, array $environment = []): Child
    {
        return Child::start([PHP_BINARY, Child::package() . '/bin/tps-preload', $directory], $environment);
    }
}
