<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

/**
 * A process of its own, mostly a PHP that runs a few lines.
 */
final class Child
{
    private function __construct(
        public readonly int $exitCode,
        public readonly string $stdout,
        public readonly string $stderr,
    ) {
    }

    /**
     * @param string                $code        with the package at hand, and without <?php
     * @param array<string, string> $environment besides this process's own
     * @param list<string>          $flags       of PHP
     * @param string|null           $package     where it is; null: here
     */
    public static function run(
        string $code,
        array $environment = [],
        array $flags = [],
        ?string $package = null,
    ): self {
        $autoload = var_export(($package ?? self::package()) . '/autoload.php', true);
        $script = tempnam(sys_get_temp_dir(), 'tps-test-');
        file_put_contents($script, "<?php require $autoload; $code");
        try {
            return self::start([PHP_BINARY, ...$flags, $script], $environment);
        } finally {
            unlink($script);
        }
    }

    /**
     * @param list<string>          $command
     * @param array<string, string> $environment besides this process's own
     */
    public static function start(array $command, array $environment = []): self
    {
        $errors = tempnam(sys_get_temp_dir(), 'tps-test-');
        try {
            $process = proc_open(
                $command,
                [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', $errors, 'w']],
                $pipes,
                null,
                $environment + getenv(),
            );
            $stdout = stream_get_contents($pipes[1]);
            $exitCode = proc_close($process);

            return new self($exitCode, $stdout, file_get_contents($errors));
        } finally {
            unlink($errors);
        }
    }

    /**
     * What an expression throws, as "class: message", or "nothing".
     *
     * @param array<string, string> $environment
     * @param list<string>          $flags
     */
    public static function thrown(string $code, array $environment = [], array $flags = []): string
    {
        $child = self::run(
            "try { $code; echo 'nothing'; } catch (\\Throwable \$e) { echo get_class(\$e), ': ', \$e->getMessage(); }",
            $environment,
            $flags,
        );

        return $child->stdout . $child->stderr;
    }

    public static function package(): string
    {
        return dirname(__DIR__, 2);
    }
}
