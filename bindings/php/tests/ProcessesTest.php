<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * Many short scripts of one user.
 */
final class ProcessesTest extends TestCase
{
    private string $directory;

    protected function setUp(): void
    {
        $this->directory = sys_get_temp_dir() . '/tps-processes-' . bin2hex(random_bytes(6));
    }

    protected function tearDown(): void
    {
        array_map(unlink(...), glob("$this->directory/*"));
        rmdir($this->directory);
    }

    public function testFiftyColdOnesAtOnceLogInOnce(): void
    {
        $organization = Organization::make(['latency' => 0.5]);

        self::assertCount(1, array_unique($this->tokens($organization, 50, atOnce: 50)));
        self::assertSame(1, $organization->count('logins'));
    }

    public function testAHundredOneAfterAnotherLogInOnce(): void
    {
        $organization = Organization::make();

        self::assertCount(1, array_unique($this->tokens($organization, 100, atOnce: 1)));
        self::assertSame(1, $organization->count('logins'));
    }

    /**
     * @return list<string> one of each process
     */
    private function tokens(Organization $organization, int $processes, int $atOnce): array
    {
        $autoload = var_export(Child::package() . '/autoload.php', true);
        // In one piece: all write to the same pipe.
        $code = "require $autoload; echo TPS\\Client::fromEnvironment()->token() . \"\\n\";";
        $child = Child::start(
            ['sh', '-c', 'seq "$1" | xargs -P "$2" -I{} "$3" -r "$4"', 'sh', "$processes", "$atOnce", PHP_BINARY, $code],
            [
                'TPS_USERNAME' => $organization->username,
                'TPS_PASSWORD' => $organization->password,
                'TPS_ORGANIZATION_ID' => $organization->id,
                'TPS_BASE_URL' => Servers::knox(),
                'TPS_CACHE' => "file:$this->directory",
            ],
        );
        self::assertSame([0, ''], [$child->exitCode, $child->stderr]);
        preg_match_all('/^[0-9a-f]{64}$/m', $child->stdout, $found);
        self::assertCount($processes, $found[0]);

        return $found[0];
    }
}
