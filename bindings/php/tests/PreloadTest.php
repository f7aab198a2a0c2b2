<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Internal\Library;
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
    }

    /** Those that implement interfaces of PSR-18 only with them: they are no part of the package. */
    public function testEveryClassIsPreloaded(): void
    {
        $child = self::preloading(Child::package() . '/preload.php');
        $classes = preg_grep('/^TPS\\\\Http\\\\/', self::classes(), PREG_GREP_INVERT);

        self::assertSame([json_encode(array_values($classes)), ''], [$child->stdout, $child->stderr]);
    }

    public function testEveryClassIsPreloadedWhereThereIsPsr18(): void
    {
        file_put_contents($this->file, sprintf(
            '<?php require "Psr/Http/Client/autoload.php"; require %s;',
            var_export(Child::package() . '/preload.php', true),
        ));
        $child = self::preloading($this->file);

        self::assertSame([json_encode(self::classes()), ''], [$child->stdout, $child->stderr]);
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
        $child = self::header(Library::find()->file);
        self::assertSame([0, ''], [$child->exitCode, $child->stderr]);
        file_put_contents($this->file, $child->stdout);

        // So that it is not found in the usual way.
        $environment = ['TPS_LIBRARY' => '/nonexistent'];
        self::assertSame('nothing', Child::thrown(self::CALL, $environment, ['-d', "ffi.preload=$this->file"]));
        self::assertStringStartsWith('TPS\Exception\LibraryException', Child::thrown(self::CALL, $environment));
    }

    public function testTheHeaderIsRefusedForALibraryThatCannotBeLoaded(): void
    {
        $child = self::header('/nonexistent/libtps.so');

        self::assertSame([1, ''], [$child->exitCode, $child->stdout]);
        self::assertStringContainsString('/nonexistent/libtps.so', $child->stderr);
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
        // opcache.preload_user: what PHP asks of root alone.
        return Child::run(
            '$preloaded = preg_grep("/^TPS/", opcache_get_status(false)["preload_statistics"]["classes"]);
            sort($preloaded); echo json_encode($preloaded);',
            flags: ['-d', 'opcache.enable_cli=1', '-d', "opcache.preload=$file", '-d', 'opcache.preload_user=root'],
        );
    }

    private static function header(string $library): Child
    {
        return Child::start([PHP_BINARY, Child::package() . '/bin/tps-preload-header', $library]);
    }
}
