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
    /** Defaults for every client. Credentials and the token of the environment are fromEnvironment()'s alone. */
    private const DEFAULTS_OF_ENVIRONMENT = [
        'base_url' => 'TPS_BASE_URL',
        'cache' => 'TPS_CACHE',
        'ca_file' => 'TPS_CA_FILE',
    ];

    private const CREDENTIALS_OF_ENVIRONMENT = [
        'username' => 'TPS_USERNAME',
        'password' => 'TPS_PASSWORD',
        'organizationId' => 'TPS_ORGANIZATION_ID',
    ];

    /**
     * The three credentials of the environment, together or not at all.
     *
     * @return array{username: string, password: string, organizationId: string}
     *
     * @throws InvalidArgumentException which names the variables that are missing
     */
    public static function environmentCredentials(): array
    {
        $found = array_map(self::environment(...), self::CREDENTIALS_OF_ENVIRONMENT);
        $missing = array_diff_key(self::CREDENTIALS_OF_ENVIRONMENT, array_filter($found, is_string(...)));
        if ($missing !== []) {
            throw new InvalidArgumentException('not set in the environment: ' . implode(', ', $missing) . '. '
                . 'Under PHP-FPM, set them in the pool: env[' . reset($missing) . '] = …');
        }

        return $found;
    }

    /**
     * Says which credentials were not given, as null: a configuration without them.
     *
     * @param array<string, string|null> $credentials by the names of the arguments
     */
    public static function missing(#[\SensitiveParameter] array $credentials): ?string
    {
        $missing = array_keys(array_filter($credentials, is_null(...)));

        return $missing === [] ? null : implode(', ', $missing) . ': null. Pass all three credentials; '
            . 'TPS\Client::fromEnvironment() takes them from the environment';
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
            throw new InvalidArgumentException('lazy is not an option here: new Client() is lazy, Client::login() is not');
        }
        $given = array_filter($options, static fn (mixed $value): bool => $value !== null);
        $environment = array_map(self::environment(...), self::DEFAULTS_OF_ENVIRONMENT);
        $members = [];
        foreach (['lazy' => true] + $given + array_filter($environment, is_string(...)) as $name => $value) {
            $members[] = self::member($name, $value);
        }

        return '{' . implode(',', $members) . '}';
    }

    /**
     * Where frameworks put what they read from .env, then the process's own. getenv may be among disable_functions.
     *
     * @return string|null null: not set, or empty
     */
    public static function environment(string $variable): ?string
    {
        foreach ([$_ENV, $_SERVER] as $variables) {
            $value = $variables[$variable] ?? '';
            if (is_string($value) && $value !== '') {
                return $value;
            }
        }
        $value = function_exists('getenv') ? getenv($variable) : false;

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
