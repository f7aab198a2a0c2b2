<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Exception\TpsException;
use TPS\Internal\Events;
use TPS\Testing\OptionRules;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * The snippets of the two READMEs, unchanged. Only the host and the credentials are the test server's.
 */
final class SnippetTest extends TestCase
{
    private const README = __DIR__ . '/../README.md';

    private const ROOT = __DIR__ . '/../../../README.md';

    private string $directory;

    protected function setUp(): void
    {
        $this->directory = sys_get_temp_dir() . '/tps-snippet-' . bin2hex(random_bytes(6));
        mkdir("$this->directory/vendor", recursive: true);
        file_put_contents("$this->directory/vendor/autoload.php", sprintf(
            '<?php require_once %s; require_once "GuzzleHttp/autoload.php"; require_once "Symfony/Component/HttpClient/autoload.php";',
            var_export(Child::package() . '/autoload.php', true),
        ));
    }

    protected function tearDown(): void
    {
        exec('rm -rf ' . escapeshellarg($this->directory));
    }

    /**
     * The snippets of a section, one after another, in one process.
     *
     * @dataProvider sections
     *
     * @param string|null $host what the section's snippets run in, in Support/Hosts
     */
    public function testSection(string $readme, string $section, int $logins, int $calls, ?string $host = null): void
    {
        $organization = Organization::make();
        $literal = [
            // What asks no server keeps the host.
            'https://app.tpstreams.com' => $logins > 0 ? Servers::knox() : 'https://app.tpstreams.com',
            "'hari@example.com'" => "'$organization->username'",
            "'welcome'" => "'$organization->password'",
            "'auhf2k'" => "'$organization->id'",
        ];
        $script = "<?php require 'vendor/autoload.php';"
            . "\$client = new TPS\\Client(getenv('TPS_USERNAME'), getenv('TPS_PASSWORD'), getenv('TPS_ORGANIZATION_ID'));";
        $host = $host === null ? 'fn () => null' : 'require ' . var_export(__DIR__ . "/Support/Hosts/$host.php", true);
        $script .= "\$ready = $host;";
        $snippets = self::snippets($readme, 'php')[$section];
        foreach ($snippets as $number => $snippet) {
            file_put_contents("$this->directory/$number.php", "<?php declare(strict_types=1);\n" . strtr($snippet, $literal));
            $script .= "\$ready(); require '$number.php';";
        }
        // What a section ends with is a list of the organization's, where it is one.
        $script .= 'echo isset($organizations) ? ((array) $organizations[0])["name"] : "-";';
        file_put_contents("$this->directory/all.php", $script);

        $child = Child::start(
            ['sh', '-c', 'cd "$0" && exec "$@"', $this->directory, PHP_BINARY, '-d', 'zend.assertions=1', 'all.php'],
            [
                'TPS_USERNAME' => $organization->username,
                'TPS_PASSWORD' => $organization->password,
                'TPS_ORGANIZATION_ID' => $organization->id,
                'TPS_BASE_URL' => Servers::knox(),
                'TPS_CACHE' => 'memory',
            ],
        );
        $name = $calls > 0 ? $organization->name : '-';
        self::assertSame([0, $name, ''], [$child->exitCode, $child->stdout, $child->stderr]);
        self::assertSame([$logins, $calls], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    /**
     * @return array<string, array{0: string, 1: string, 2: int, 3: int, 4?: string}>
     */
    public static function sections(): array
    {
        return [
            'README, Use' => [self::ROOT, 'Use', 1, 0],
            'Use' => [self::README, 'Use', 1, 0],
            'Call the API' => [self::README, 'Call the API', 1, 4],
            'Laravel' => [self::README, 'Laravel', 1, 1, 'laravel'],
            'WordPress' => [self::README, 'WordPress', 1, 1, 'wordpress'],
            'Exceptions' => [self::README, 'Exceptions', 1, 0],
            'Tests' => [self::README, 'Tests', 0, 0],
        ];
    }

    public function testNoSnippetIsLeftOut(): void
    {
        foreach ([self::README, self::ROOT] as $readme) {
            $sections = array_filter(self::sections(), static fn (array $section): bool => $section[0] === $readme);
            self::assertSame(array_keys(self::snippets($readme, 'php')), array_column($sections, 1));
        }
    }

    /** tests/fpm starts FPM with what it shows. */
    public function testEachSettingIsOneThatIsTriedWithFpm(): void
    {
        $fpm = __DIR__ . '/../../../tests/fpm';
        $tried = file_get_contents("$fpm/run.sh") . file_get_contents("$fpm/pool.sh");
        $settings = implode(self::snippets(self::README, 'ini')['PHP-FPM']);
        self::assertSame(3, preg_match_all('/^([\w.]+) = (\S+)$/m', $settings, $lines, PREG_SET_ORDER));
        foreach ($lines as [, $name, $value]) {
            self::assertStringContainsString("$name=", $tried);
            self::assertMatchesRegularExpression('/^[\w-]+$|\/(?:preload\.php|tps\.h)$/', $value);
            if (str_contains($value, '/')) {
                self::assertStringContainsString(basename($value), $tried);
            }
        }
        $readme = file_get_contents(self::README);
        foreach (['php_admin_value[ffi.enable] = 1', 'tps-preload', 'process_control_timeout = '] as $other) {
            self::assertStringContainsString($other, $readme);
            self::assertStringContainsString($other, $tried);
        }
    }

    public function testTheOnesOfComposer(): void
    {
        $snippets = self::snippets(self::README, 'json')['Install'];
        self::assertCount(1, $snippets);
        $repository = json_decode($snippets[0], associative: true, flags: JSON_THROW_ON_ERROR)['repositories'][0];

        // As PackageTest installs it.
        self::assertSame(['type', 'url'], array_keys($repository));
        self::assertSame('artifact', $repository['type']);
    }

    /** The first column of a table is what the package has. */
    public function testTheTables(): void
    {
        $rules = new \ReflectionClass(OptionRules::class);
        $options = [...$rules->getConstant('TEXTS'), ...$rules->getConstant('NUMBERS'), 'refresh_ahead'];
        self::assertEqualsCanonicalizing($options, array_keys(self::table('Options')));

        $exceptions = [];
        foreach (glob(__DIR__ . '/../src/Exception/*Exception.php') as $file) {
            $class = new \ReflectionClass('TPS\\Exception\\' . basename($file, '.php'));
            if (!$class->isInterface()) {
                self::assertTrue($class->implementsInterface(TpsException::class));
                $exceptions[$class->getShortName()] = $class->getParentClass()->getName();
            }
        }
        $told = array_map(static fn (array $row): string => trim($row[1], '`'), self::table('Exceptions'));
        ksort($told);
        ksort($exceptions);
        self::assertSame($exceptions, $told);

        $levels = (new \ReflectionClass(Events::class))->getConstant('LEVELS');
        foreach (self::table('Logging and stats') as $kind => $row) {
            self::assertSame($levels[$kind] ?? 'info', $row[1]);
        }
        preg_match('/kind \(([^)]+)\)/', file_get_contents(__DIR__ . '/../../../include/tps.h'), $kinds);
        $kinds = preg_split('/,\s+/', preg_replace('/\s+/', ' ', $kinds[1]));
        self::assertEqualsCanonicalizing($kinds, array_keys(self::table('Logging and stats')));
    }

    /**
     * @return array<string, list<string>> rows by their first cell
     */
    private static function table(string $section): array
    {
        $text = explode("\n## ", explode("\n## $section\n", file_get_contents(self::README))[1])[0];
        preg_match_all('/^\| `(\w+)` \|(.*)\|$/m', $text, $rows, PREG_SET_ORDER);
        $table = [];
        foreach ($rows as [, $name, $rest]) {
            $table[$name] = [$name, ...array_map(trim(...), explode(' | ', $rest))];
        }

        return $table;
    }

    /**
     * @return array<string, list<string>> by the heading above them
     */
    private static function snippets(string $readme, string $language): array
    {
        $found = [];
        foreach (preg_split('/^## /m', file_get_contents($readme)) as $section) {
            if (preg_match_all("/^```$language\\n(.*?)^```$/ms", $section, $match) > 0) {
                $found[strtok($section, "\n")] = $match[1];
            }
        }

        return $found;
    }
}
