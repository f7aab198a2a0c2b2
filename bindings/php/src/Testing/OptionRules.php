<?php

declare(strict_types=1);

namespace TPS\Testing;

use TPS\Exception\InvalidArgumentException;
use TPS\Internal\Arguments;

/**
 * Refuses the options that the library refuses, as far as that can be told without it.
 *
 * @internal
 */
final class OptionRules
{
    private const TEXTS = ['base_url', 'cache', 'token', 'ca_file', 'proxy', 'user_agent'];

    private const NUMBERS = ['timeout_ms', 'connect_timeout_ms', 'logins_per_day'];

    /**
     * @param array<int|string, mixed> $options
     *
     * @throws InvalidArgumentException which names the option
     */
    public static function check(#[\SensitiveParameter] array $options): void
    {
        Arguments::options($options);
        foreach (array_filter($options, static fn (mixed $value): bool => $value !== null) as $name => $value) {
            $right = match (true) {
                in_array($name, self::TEXTS, true) => is_string($value),
                in_array($name, self::NUMBERS, true) => is_int($value) && $value >= 0,
                $name === 'refresh_ahead' => $value === 'auto' || (is_int($value) && $value >= 0),
                default => throw new InvalidArgumentException("unknown option $name: the options are "
                    . implode(', ', [...self::TEXTS, ...self::NUMBERS, 'refresh_ahead'])),
            };
            if (!$right) {
                throw new InvalidArgumentException("option $name has the wrong type or is out of range");
            }
        }
    }
}
