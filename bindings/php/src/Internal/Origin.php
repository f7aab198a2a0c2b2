<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Logging;

/**
 * The scheme, host and port that the token is for: the web tells one origin from another by these.
 *
 * @internal
 */
final class Origin
{
    private const PORTS = ['http' => 80, 'https' => 443];

    private readonly ?string $own;

    private bool $told = false;

    public function __construct(private readonly string $baseUrl)
    {
        $this->own = self::of($baseUrl);
    }

    /**
     * Whether a URL is of this origin. The first one that is not is logged: it explains why a header is missing.
     */
    public function holds(string $url): bool
    {
        $other = self::of($url);
        if ($other !== null && $other === $this->own) {
            return true;
        }
        if (!$this->told) {
            $this->told = true;
            Logging::logger()?->notice(
                "TPStreams token: a request to $other goes without it, which is for {$this->own} (base_url $this->baseUrl)",
            );
        }

        return false;
    }

    /**
     * @return string|null null: that is not a URL with a host
     */
    public static function of(string $url): ?string
    {
        $parts = parse_url($url);
        if ($parts === false || !isset($parts['scheme'], $parts['host'])) {
            return null;
        }
        $scheme = strtolower($parts['scheme']);

        return "$scheme://" . strtolower($parts['host']) . ':' . ($parts['port'] ?? self::PORTS[$scheme] ?? 0);
    }
}
