<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Internal\Diagnosis;
use TPS\Internal\Library;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Libraries;

/**
 * What is said when there is a library, and something about it or around it is in the way.
 */
final class ObstacleTest extends TestCase
{
    use Libraries;

    public function testAnotherArchitecture(): void
    {
        $library = file_get_contents(Library::find()->file);
        // The number of a machine that nobody has: Itanium.
        file_put_contents("$this->directory/libtps.so", substr_replace($library, "\x32\x00", 18, 2));
        $message = $this->thrownFor("$this->directory/libtps.so");

        $ours = php_uname('m') . '-linux-gnu';
        self::assertStringContainsString("it was built for machine 50-linux-gnu, this PHP for $ours. Install the package", $message);
    }

    public function testAnotherCLibrary(): void
    {
        $machine = php_uname('m');
        // Alpine's own name for it, and the one that zig gives it.
        foreach (['libc.musl-x86_64.so.1', 'libc.so'] as $name) {
            $musl = $this->needing($name, 'int of_musl(void) { return 1; }');
            self::assertMatchesRegularExpression("/$name: (cannot open|invalid ELF header)/", $musl);
            self::assertStringContainsString(
                "it was built for $machine-linux-musl, this PHP for $machine-linux-gnu. Install the package tps/tps anew",
                $musl,
            );
        }

        file_put_contents("$this->directory/versions", 'GLIBC_9.99 { of_tomorrow; };');
        $tomorrow = "-nostdlib -Wl,--version-script=$this->directory/versions";
        $glibc = $this->needing('libc.so.6', 'int of_tomorrow(void) { return 1; }', $tomorrow);
        self::assertStringContainsString("GLIBC_9.99' not found", $glibc);
        self::assertStringContainsString('it was built for another or a newer C library than this system has', $glibc);
    }

    /** What the loader of Alpine says to a library for Debian. */
    public function testTheLoaderOfMusl(): void
    {
        $reasons = [
            'Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /x/libtps.so)',
            'Error relocating /x/libtps.so: gnu_get_libc_version: symbol not found',
        ];
        foreach ($reasons as $reason) {
            self::assertStringContainsString(
                "$reason; it was built for another or a newer C library than this system has. Install the package",
                Diagnosis::notLoaded(Library::find(), $reason),
            );
        }
    }

    public function testLibgccIsMissing(): void
    {
        $library = file_get_contents(Library::find()->file);
        // A name that nobody has, as long as the right one.
        $count = 0;
        $library = str_replace("\0libgcc_s.so.1\0", "\0libgcc_s.so.9\0", $library, $count);
        self::assertSame(1, $count);
        file_put_contents("$this->directory/libtps.so", $library);
        $message = $this->thrownFor("$this->directory/libtps.so");

        self::assertStringContainsString('libgcc_s.so.9: cannot open shared object file', $message);
        self::assertStringContainsString('libgcc_s is missing: `apt install libgcc-s1`, or `apk add libgcc`', $message);
    }

    public function testAFileThatTheUserMayNotRead(): void
    {
        copy(Library::find()->file, "$this->directory/libtps.so");
        chmod("$this->directory/libtps.so", 0);
        // Root may read anything.
        $as = posix_geteuid() === 0 ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] : [];
        $environment = ['TPS_LIBRARY' => "$this->directory/libtps.so"];
        $message = $this->thrownIn($this->copyOfThePackage(), $environment, before: $as)->stdout;

        self::assertStringContainsString("$this->directory/libtps.so (TPS_LIBRARY): ", $message);
        self::assertStringContainsString('Permission denied; this user may not read it: `chmod a+r` it', $message);
    }

    public function testAFileSystemThatForbidsExecution(): void
    {
        self::assertStringContainsString(
            'nothing may be executed there: the file system is mounted noexec, or a security policy forbids it',
            Diagnosis::notLoaded(Library::find(), 'libtps.so: failed to map segment from shared object'),
        );
    }

    public function testOpenBasedirHidesTheChoice(): void
    {
        $package = $this->copyOfThePackage();
        $message = $this->restricted($package, ['TPS_LIBRARY' => Library::find()->file]);

        self::assertSame('TPS_LIBRARY names ' . Library::find()->file . ', which PHP does not see with '
            . "open_basedir=$package. Correct it, or unset it: libtps is searched for.", $message);
    }

    public function testOpenBasedirHidesAllOthers(): void
    {
        $package = $this->copyOfThePackage();

        self::assertStringContainsString(
            "-linux-musl/libtps.so with open_basedir=$package, and the system's loader says: ",
            $this->restricted($package),
        );
    }

    public function testOpenBasedirDoesNoHarmToTheOneInThePackage(): void
    {
        $package = $this->copyOfThePackage();
        $shipped = "$package/lib/" . php_uname('m') . '-linux-gnu/libtps.so';
        mkdir(dirname($shipped), recursive: true);
        copy(Library::find()->file, $shipped);

        self::assertSame('nothing', $this->restricted($package));
    }

    /** Said on Windows, macOS and 32 bits, before anything of Linux is looked at. */
    public function testAnotherPlatform(): void
    {
        $message = Diagnosis::otherPlatform();

        self::assertStringContainsString('libtps is for Linux on x86-64 and arm64 (64 bits); this PHP runs on ', $message);
        self::assertStringNotContainsString("\n", $message);
    }

    public function testTheClassIsDisabled(): void
    {
        if (PHP_VERSION_ID >= 80400) {
            self::markTestSkipped('PHP 8.4 crashes by itself with disable_classes=FFI');
        }
        $message = Child::thrown(self::call(), flags: ['-d', 'disable_classes=FFI']);

        self::assertStringStartsWith("TPS\Exception\LibraryException: PHP's class FFI is disabled", $message);
        self::assertStringContainsString('take FFI out of disable_classes=FFI in ', $message);
    }

    /** What is said of a library that is linked with one of that name, which nobody has. */
    private function needing(string $name, string $code, string $flags = ''): string
    {
        $other = $this->compile($code, "$flags -Wl,-soname,$name");
        rename($other, "$this->directory/other.so");
        preg_match('/of_\w+/', $code, $match);
        $function = $match[0];

        return $this->thrownFor($this->compile(
            "int $function(void); const char *tps_version(void) { return $function() ? \"0.2.0\" : 0; }",
            "$this->directory/other.so -Wl,-rpath,/nonexistent" . ($flags === '' ? '' : ' -nostdlib'),
        ));
    }

    /**
     * What is thrown where PHP may see that package alone.
     *
     * @param array<string, string> $environment
     */
    private function restricted(string $package, array $environment = []): string
    {
        $child = $this->thrownIn($package, $environment, ['-d', "open_basedir=$package"]);
        self::assertSame('', $child->stderr);

        return $child->stdout;
    }

    /**
     * @param array<string, string> $environment
     * @param list<string>          $flags
     * @param list<string>          $before      what starts PHP
     */
    private function thrownIn(string $package, array $environment, array $flags = [], array $before = []): Child
    {
        $code = sprintf(
            'require %s; try { %s; echo "nothing"; } catch (TPS\Exception\LibraryException $e) { echo $e->getMessage(); }',
            var_export("$package/autoload.php", true),
            self::call(),
        );

        return Child::start([...$before, PHP_BINARY, ...$flags, '-r', $code], $environment + ['TPS_LIBRARY' => '']);
    }
}
