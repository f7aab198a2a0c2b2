<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\InvalidArgumentException;

/**
 * Makes what a caller gave, or the environment holds, into what the library takes. No message shows a value.
 *
 * @internal
 */
final class Arguments
{
    private const OPTIONS_FROM_ENVIRONMENT = [
        'token' => 'TPS_TOKEN',
        'base_url' => 'TPS_BASE_URL',
        'cache' => 'TPS_CACHE',
        'ca_file' => 'TPS_CA_FILE',
    ];

    /**
     * @param string      $name     of the argument
     * @param string      $variable the environment variable that stands in where no value was given
     * @param string|null $value    null: not given
     */
    public static function credential(string $name, string $variable, #[\SensitiveParameter] ?string $value): string
    {
        $value ??= self::environment($variable)
            ?? throw new InvalidArgumentException("$name is missing: pass it, or set $variable in the environment");

        return self::text($name, $value);
    }

    /**
     * A string that survives the way into C: not empty, UTF-8, and without the NUL byte that would end it there.
     */
    public static function text(string $name, #[\SensitiveParameter] string $value): string
    {
        if ($value === '') {
            throw new InvalidArgumentException("$name is empty");
        }
        if (str_contains($value, "\0")) {
            throw new InvalidArgumentException("$name contains a NUL byte");
        }
        if (preg_match('//u', $value) !== 1) {
            throw new InvalidArgumentException("$name is not valid UTF-8");
        }

        return $value;
    }

    /**
     * The options as the library reads them. Which names and types are right is the library's to say.
     *
     * @param array<string, mixed> $options null: not given
     */
    public static function options(#[\SensitiveParameter] array $options): string
    {
        if (isset($options['lazy'])) {
            throw new InvalidArgumentException('lazy is no option here: new Client() is lazy, Client::login() is not');
        }
        $environment = array_map(self::environment(...), self::OPTIONS_FROM_ENVIRONMENT);
        $given = array_filter($options, static fn (mixed $value): bool => $value !== null);
        $members = [];
        foreach (['lazy' => true] + $given + array_filter($environment, is_string(...)) as $name => $value) {
            $members[] = self::member($name, $value);
        }

        return '{' . implode(',', $members) . '}';
    }

    /**
     * @return string|null null: not set, or empty
     */
    public static function environment(string $variable): ?string
    {
        $value = getenv($variable);

        return $value === false || $value === '' ? null : $value;
    }

    private static function member(int|string $name, #[\SensitiveParameter] mixed $value): string
    {
        if (is_int($name)) {
            throw new InvalidArgumentException("options has the key $name: name them, as in ['cache' => 'memory']");
        }
        self::text('the name of an option', $name);
        if (is_string($value) && $value !== '') {
            self::text("option $name", $value);
        }
        try {
            return self::json($name) . ':' . self::json($value);
        } catch (\JsonException $exception) {
            // Not chained: the trace of the cause may show the value, and that may be a token.
            throw new InvalidArgumentException("option $name cannot be written as JSON: {$exception->getMessage()}");
        }
    }

    private static function json(#[\SensitiveParameter] mixed $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    }
}
