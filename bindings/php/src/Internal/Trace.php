<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * Keeps a secret out of the traces of exceptions where another package's function takes it as an argument, without
 * #[\SensitiveParameter].
 *
 * @internal
 */
final class Trace
{
    private const DEPTH = 8;

    private const REDACTED = '[redacted]';

    /**
     * Calls a function with a secret. What it throws shows the secret in no argument of its trace.
     *
     * @template T
     *
     * @param callable(string): T $function
     *
     * @return T
     */
    public static function without(#[\SensitiveParameter] string $secret, callable $function): mixed
    {
        try {
            return $function($secret);
        } catch (\Throwable $thrown) {
            throw self::cleaned($thrown, $secret);
        }
    }

    /**
     * The same exception, without the secret in its traces and those of its causes.
     */
    public static function cleaned(\Throwable $thrown, #[\SensitiveParameter] string $secret): \Throwable
    {
        for ($exception = $thrown; $exception !== null; $exception = $exception->getPrevious()) {
            self::redact($exception, $secret);
        }

        return $thrown;
    }

    private static function redact(\Throwable $exception, #[\SensitiveParameter] string $secret): void
    {
        $redact = static fn (array $frame): array => isset($frame['args'])
            ? ['args' => self::redacted($frame['args'], $secret)] + $frame
            : $frame;
        $class = $exception instanceof \Exception ? \Exception::class : \Error::class;
        (new \ReflectionProperty($class, 'trace'))->setValue($exception, array_map($redact, $exception->getTrace()));
    }

    private static function redacted(mixed $value, #[\SensitiveParameter] string $secret, int $depth = 0): mixed
    {
        if (is_array($value)) {
            // An array may hold itself.
            return $depth === self::DEPTH
                ? self::REDACTED
                : array_map(static fn (mixed $item): mixed => self::redacted($item, $secret, $depth + 1), $value);
        }

        return is_string($value) && str_contains($value, $secret) ? self::REDACTED : $value;
    }
}
