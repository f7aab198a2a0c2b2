<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

/**
 * Libraries, and copies of the package, in a directory of one test.
 */
trait Libraries
{
    private string $directory;

    protected function setUp(): void
    {
        $this->directory = sys_get_temp_dir() . '/tps-test-' . bin2hex(random_bytes(6));
        mkdir($this->directory);
    }

    protected function tearDown(): void
    {
        self::remove($this->directory);
    }

    /** What loads the library, and asks for nothing more. */
    private static function call(): string
    {
        return 'new TPS\Client("a@example.com", "b", "c", ["cache" => "memory"])';
    }

    private function thrownFor(string $library): string
    {
        $message = Child::thrown(self::call(), ['TPS_LIBRARY' => $library]);
        self::assertStringStartsWith('TPS\Exception\LibraryException: ', $message);
        self::assertStringContainsString($library, $message);
        self::assertStringNotContainsString("\n", $message);

        return $message;
    }

    private function compile(string $code, string $flags = ''): string
    {
        file_put_contents("$this->directory/libtps.c", $code);
        $directory = escapeshellarg($this->directory);
        $command = "cc -shared -fPIC -o $directory/libtps.so $directory/libtps.c $flags 2>&1";
        exec($command, $output, $exitCode);
        self::assertSame(0, $exitCode, implode("\n", $output));

        return "$this->directory/libtps.so";
    }

    /** Without the repository around it, as in vendor/. */
    private function copyOfThePackage(): string
    {
        $package = "$this->directory/vendor/tps/tps";
        mkdir($package, recursive: true);
        copy(Child::package() . '/autoload.php', "$package/autoload.php");
        copy(Child::package() . '/version.php', "$package/version.php");
        exec(sprintf('cp -r %s %s', escapeshellarg(Child::package() . '/src'), escapeshellarg("$package/src")));

        return $package;
    }

    /**
     * @param array<string, string> $environment
     * @param list<string>          $flags
     */
    private function inCopy(string $package, string $code, array $environment = [], array $flags = []): Child
    {
        // Empty counts as not set.
        return Child::run($code, $environment + ['TPS_LIBRARY' => ''], $flags, $package);
    }

    private static function remove(string $path): void
    {
        if (is_dir($path)) {
            foreach (array_diff(scandir($path), ['.', '..']) as $name) {
                self::remove("$path/$name");
            }
            rmdir($path);
        } else {
            unlink($path);
        }
    }
}
