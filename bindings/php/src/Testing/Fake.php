<?php

declare(strict_types=1);

namespace TPS\Testing;

use TPS\Exception\TpsException;
use TPS\Internal\Backends;

/**
 * A switch for a whole test suite: after install() no client touches the library, the disk or the network.
 */
final class Fake
{
    private const BASE_URL = 'https://app.tpstreams.com';

    /**
     * From now on each new client takes its tokens from a script of its own, whatever its credentials; base_url is the
     * option's. What the real client refuses is refused.
     *
     * @param string|TpsException|list<string|TpsException> $token as of FakeClient
     */
    public static function install(#[\SensitiveParameter] string|TpsException|array $token = 'fake-token'): void
    {
        $steps = is_array($token) ? array_values($token) : [$token];
        Script::of($steps, self::BASE_URL);
        Backends::replace(static function (#[\SensitiveParameter] string $json) use ($steps): Script {
            /** @var array<string, mixed> $options */
            $options = json_decode($json, associative: true, flags: JSON_THROW_ON_ERROR);
            unset($options['lazy']);
            OptionRules::check($options);
            $baseUrl = $options['base_url'] ?? self::BASE_URL;

            return Script::of($steps, is_string($baseUrl) ? $baseUrl : self::BASE_URL);
        });
    }

    /** Clients are real again, those made from now on. */
    public static function uninstall(): void
    {
        Backends::replace(null);
    }
}
