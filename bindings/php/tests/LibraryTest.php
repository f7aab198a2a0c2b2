<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Internal\Declarations;
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
        $shipped = "$package/lib/" . php_uname('m') . '-linux-gnu/libtps.so';
        mkdir(dirname($shipped), recursive: true);
        copy(Library::find()->file, $shipped);

        $child = $this->inCopy($package, self::call() . '; echo TPS\Internal\Library::find()->file;');
        self::assertSame([$shipped, ''], [$child->stdout, $child->stderr]);
    }

    public function testTheSystemsOwnIsFoundWithoutADevelopmentLink(): void
    {
        $package = $this->copyOfThePackage();
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
        $message = $this->inCopy(
            $package,
            'try { ' . self::call() . '; } catch (TPS\Exception\LibraryException $e) { echo $e->getMessage(); }',
        )->stdout;

        foreach (["$package/lib/" . php_uname('m') . '-linux-gnu', '-linux-musl', 'libtps.so.0'] as $place) {
            self::assertStringContainsString($place, $message);
        }
        self::assertStringContainsString('cannot open shared object file', $message);
        self::assertStringContainsString('Install the package tps/tps anew', $message);
        self::assertStringNotContainsString('target/', $message);
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
        self::assertStringContainsString("bin/tps-preload $this->directory", $message);
    }

    /** An upgrade that replaced the library alone. The other way round FPM does not start. */
    public function testAHeaderOfAnOlderPackageWithANewLibrary(): void
    {
        $header = "$this->directory/tps.h";
        $new = Library::at((string) realpath(Library::find()->file))->preloadHeader();
        $old = preg_replace('/^.*\b' . Declarations::NEWEST . '\b.*\n/m', '', $new);
        self::assertNotSame($new, $old);
        foreach ([$new => 'nothing', $old => "header ffi.preload=$header is of an older package"] as $content => $said) {
            file_put_contents($header, $content);
            $message = Child::thrown(self::call(), flags: ['-d', "ffi.preload=$header"]);

            self::assertStringContainsString($said, $message);
        }
        self::assertStringContainsString("bin/tps-preload $this->directory`, and restart FPM", $message);
    }

    /** More functions than this package knows are no difference. */
    public function testAHeaderOfANewerPackage(): void
    {
        $header = "$this->directory/tps.h";
        $new = Library::at((string) realpath(Library::find()->file))->preloadHeader();
        file_put_contents($header, "$new\nint tps_logout(uintptr_t, tps_error **);\n");

        self::assertSame('nothing', Child::thrown(self::call(), flags: ['-d', "ffi.preload=$header"]));
    }

    public function testOneThatLacksAFunctionAndCallsItselfNew(): void
    {
        $message = $this->thrownFor($this->compile('const char *tps_version(void) { return "9.9.9"; }'));

        self::assertStringContainsString('has not all that this package needs', $message);
        self::assertStringContainsString('tps_login', $message);
    }

    /** A deployment with the libraries of all platforms has to take its own, of either C library. */
    public function testTheOneOfThisPlatformIsTaken(): void
    {
        $package = $this->copyOfThePackage();
        foreach (['x86_64-linux-gnu', 'x86_64-linux-musl', 'aarch64-linux-gnu', 'aarch64-linux-musl'] as $platform) {
            mkdir("$package/lib/$platform", recursive: true);
            file_put_contents("$package/lib/$platform/libtps.so", 'of another platform');
        }
        copy(Library::find()->file, "$package/lib/" . php_uname('m') . '-linux-gnu/libtps.so');

        $child = $this->inCopy($package, self::call() . '; echo "loaded";');
        self::assertSame(['loaded', ''], [$child->stdout, $child->stderr]);
    }

    /** What the package declares is what the header says, apart from pointers to clients: those are numbers here. */
    public function testTheDeclarationsAreThoseOfTheHeader(): void
    {
        $header = file_get_contents(__DIR__ . '/../../../include/tps_ffi.h');
        $declared = preg_replace('/\buintptr_t\b/', 'tps_client *', Declarations::C);
        self::assertSame(
            array_diff_key(self::functions($header), ['tps_logout' => 0]),
            self::functions($declared),
        );
        preg_match('/typedef struct tps_error \{.*?\} tps_error;/s', $header, $error);
        self::assertStringContainsString($error[0], Declarations::C);
    }

    /**
     * @return array<string, string> types by function
     */
    private static function functions(string $declarations): array
    {
        preg_match_all('/^([\w *]+?)(tps_\w+)\(([^)]*)\);/m', $declarations, $found, PREG_SET_ORDER);
        $functions = [];
        foreach ($found as [, $result, $name, $parameters]) {
            $types = array_map(
                // Without the parameter's name.
                static fn (string $type): string => preg_replace('/(?<=[ *])(?!char|void)[a-z]\w*$/', '', trim($type)),
                explode(',', preg_replace(['/\bstruct /', '/\s+/'], ['', ' '], $parameters)),
            );
            $text = preg_replace('/\bstruct /', '', $result) . '(' . implode(',', $types) . ')';
            $functions[$name] = str_replace(' ', '', $text);
        }
        ksort($functions);

        return $functions;
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
