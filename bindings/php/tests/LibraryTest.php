<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Internal\Library;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Libraries;

/**
 * How the library is found, and what is said when it is not.
 */
final class LibraryTest extends TestCase
{
    use Libraries;

    public function testTheRealOneIsAnAbsolutePath(): void
    {
        self::assertStringStartsWith('/', Library::find()->file);
        self::assertSame('nothing', Child::thrown(self::call()));
    }

    public function testTheOneShippedInThePackageIsFound(): void
    {
        $package = $this->copyOfThePackage();
        mkdir("$package/lib");
        copy(Library::find()->file, "$package/lib/libtps.so");
        copy(Library::find()->header(), "$package/lib/tps_ffi.h");

        $child = $this->inCopy($package, self::call() . '; echo TPS\Internal\Library::find()->file;');
        self::assertSame(["$package/lib/libtps.so", ''], [$child->stdout, $child->stderr]);
    }

    public function testTheSystemsOwnIsFoundWithoutADevelopmentLink(): void
    {
        $package = $this->copyOfThePackage();
        mkdir("$package/lib");
        copy(Library::find()->header(), "$package/lib/tps_ffi.h");
        copy(Library::find()->file, "$this->directory/libtps.so.0");

        $child = $this->inCopy(
            $package,
            self::call() . "; preg_match('~/\S+libtps\S+~', file_get_contents('/proc/self/maps'), \$m); echo \$m[0];",
            ['LD_LIBRARY_PATH' => $this->directory],
        );
        self::assertSame(["$this->directory/libtps.so.0", ''], [$child->stdout, $child->stderr]);
    }

    public function testNoneAnywhere(): void
    {
        $package = $this->copyOfThePackage();
        mkdir("$package/lib");
        copy(Library::find()->header(), "$package/lib/tps_ffi.h");
        $message = $this->inCopy(
            $package,
            'try { ' . self::call() . '; } catch (TPS\Exception\LibraryException $e) { echo $e->getMessage(); }',
        )->stdout;

        foreach (["$package/lib", 'target/release/libtps.so', 'target/debug/libtps.so', 'libtps.so.0'] as $place) {
            self::assertStringContainsString($place, $message);
        }
        self::assertStringContainsString('cannot open shared object file', $message);
        self::assertStringContainsString('cargo build --release', $message);
    }

    public function testNoHeader(): void
    {
        $package = $this->copyOfThePackage();
        copy(Library::find()->file, "$this->directory/libtps.so");
        $message = $this->inCopy(
            $package,
            'try { ' . self::call() . '; } catch (TPS\Exception\LibraryException $e) { echo $e->getMessage(); }',
            ['TPS_LIBRARY' => "$this->directory/libtps.so"],
        )->stdout;

        self::assertStringContainsString('tps_ffi.h', $message);
        self::assertStringContainsString("$package/lib", $message);
    }

    public function testAChoiceThatIsNotThere(): void
    {
        $message = $this->thrownFor('/nonexistent/libtps.so');

        self::assertStringContainsString('/nonexistent/libtps.so', $message);
        self::assertStringContainsString('TPS_LIBRARY', $message);
    }

    public function testAChoiceThatIsNoLibrary(): void
    {
        file_put_contents("$this->directory/libtps.so", "just text\n");
        $message = $this->thrownFor("$this->directory/libtps.so");

        self::assertStringContainsString("$this->directory/libtps.so (TPS_LIBRARY)", $message);
        self::assertMatchesRegularExpression('/file too short|invalid ELF header/', $message);
    }

    public function testAChoiceThatIsADirectory(): void
    {
        self::assertStringContainsString('TPS_LIBRARY', $this->thrownFor($this->directory));
    }

    public function testAnotherLibrary(): void
    {
        $message = $this->thrownFor($this->compile('int something_else(void) { return 1; }'));

        self::assertStringContainsString('it is another library, not libtps', $message);
    }

    public function testOneThatIsTooOldAndLacksAFunction(): void
    {
        $message = $this->thrownFor($this->compile('const char *tps_version(void) { return "0.0.9"; }'));

        self::assertStringContainsString('is too old: 0.0.9, need ' . Library::NEEDED, $message);
    }

    public function testOneThatIsTooOldAndLacksNothing(): void
    {
        $functions = '';
        foreach (['login', 'token', 'free', 'invalidate', 'logout', 'generation', 'wait', 'stats'] as $name) {
            $functions .= "void *tps_$name(void) { return 0; }\n";
        }
        $message = $this->thrownFor($this->compile("$functions const char *tps_version(void) { return \"0.0.9\"; }"));

        self::assertStringContainsString('is too old: 0.0.9, need ' . Library::NEEDED, $message);
    }

    public function testOneThatIsTooOldAndPreloaded(): void
    {
        $library = $this->compile('const char *tps_version(void) { return "0.0.9"; }');
        $header = "$this->directory/tps.h";
        $lines = ['#define FFI_SCOPE "TPS"', "#define FFI_LIB \"$library\"", 'const char *tps_version(void);', ''];
        file_put_contents($header, implode("\n", $lines));
        $message = Child::thrown(self::call(), flags: ['-d', "ffi.preload=$header"]);

        self::assertStringContainsString("ffi.preload=$header loads is too old: 0.0.9, need", $message);
        self::assertStringContainsString("bin/tps-preload-header >$header", $message);
    }

    public function testAHeaderThatIsNewerThanTheLibrary(): void
    {
        copy(Library::find()->file, "$this->directory/libtps.so");
        $header = Library::find()->declarations();
        file_put_contents("$this->directory/tps_ffi.h", "$header\nint tps_from_the_future(void);\n");
        $message = $this->thrownFor("$this->directory/libtps.so");

        self::assertStringContainsString('do not belong together', $message);
        self::assertStringContainsString('tps_from_the_future', $message);
    }

    public function testAHeaderThatIsNoHeader(): void
    {
        copy(Library::find()->file, "$this->directory/libtps.so");
        file_put_contents("$this->directory/tps_ffi.h", "extern \"C\" {\n}\n");

        self::assertStringContainsString('do not belong together', $this->thrownFor("$this->directory/libtps.so"));
    }

    public function testFfiSwitchedOff(): void
    {
        $message = Child::thrown(self::call(), flags: ['-d', 'ffi.enable=0']);

        self::assertStringStartsWith('TPS\Exception\LibraryException: ', $message);
        self::assertStringContainsString('SAPI cli, ffi.enable=0', $message);
        self::assertStringContainsString('php -d ffi.enable=1', $message);
    }

    public function testTheExtensionIsMissing(): void
    {
        $message = Child::thrown(self::call(), flags: ['-n']);

        self::assertStringStartsWith('TPS\Exception\LibraryException: ', $message);
        self::assertStringContainsString('extension FFI is missing', $message);
        self::assertStringContainsString('phpenmod ffi', $message);
    }
}
