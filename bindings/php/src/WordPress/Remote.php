<?php

declare(strict_types=1);

namespace TPS\WordPress;

use TPS\Exception\TpsException;
use TPS\Internal\Origin;
use TPS\Internal\WithToken;
use TPS\TokenSource;

/**
 * WordPress's wp_remote_request(), wp_remote_get() and wp_remote_post(), with the token: the same arguments, the same answers.
 *
 * The header goes to the client's own base_url alone, along no redirect: pass 'redirection' for requests to other hosts only.
 * When the server rejects the token, the request is sent once more with another one. Where there is no token to send, the
 * answer is a WP_Error with the code "tps_" and the status in lower case, such as tps_throttled, and the data status,
 * http_status and retry_after (seconds).
 */
final class Remote
{
    /**
     * @param array<string, mixed> $arguments as of wp_remote_get()
     *
     * @return array<string, mixed>|\WP_Error
     */
    public static function get(TokenSource $client, string $url, array $arguments = []): array|\WP_Error
    {
        return self::request($client, $url, ['method' => 'GET'] + $arguments);
    }

    /**
     * @param array<string, mixed> $arguments as of wp_remote_post()
     *
     * @return array<string, mixed>|\WP_Error
     */
    public static function post(TokenSource $client, string $url, array $arguments = []): array|\WP_Error
    {
        return self::request($client, $url, ['method' => 'POST'] + $arguments);
    }

    /**
     * @param array<string, mixed> $arguments as of wp_remote_request()
     *
     * @return array<string, mixed>|\WP_Error
     */
    public static function request(TokenSource $client, string $url, array $arguments = []): array|\WP_Error
    {
        try {
            if (!(new Origin($client->baseUrl()))->holds($url)) {
                return wp_remote_request($url, $arguments);
            }
            $headers = self::withoutAuthorization($arguments['headers'] ?? []);
            $send = static fn (#[\SensitiveParameter] string $token): array|\WP_Error => wp_remote_request($url, [
                'headers' => ['Authorization' => "Token $token"] + $headers,
                // It would take the header along to another host.
                'redirection' => 0,
            ] + $arguments);

            return WithToken::call($client, $send);
        } catch (TpsException $exception) {
            return self::error($exception);
        }
    }

    private static function error(TpsException $exception): \WP_Error
    {
        $name = $exception->status === null ? 'unavailable' : $exception->status->name;

        return new \WP_Error(
            'tps_' . strtolower((string) preg_replace('/(?<=[a-z])(?=[A-Z])/', '_', $name)),
            $exception->getMessage(),
            [
                'status' => $exception->status?->value,
                'http_status' => $exception->httpStatus,
                'retry_after' => $exception->retryAfter,
            ],
        );
    }

    /**
     * @param array<string, mixed>|string $headers in one of the two ways that WordPress takes
     *
     * @return array<string, mixed>
     */
    private static function withoutAuthorization(array|string $headers): array
    {
        if (is_string($headers)) {
            preg_match_all('/^([^:\s]+):[ \t]*(.*?)\r?$/m', $headers, $lines);
            $headers = array_combine($lines[1], $lines[2]);
        }

        return array_filter(
            $headers,
            static fn (string $name): bool => strcasecmp($name, 'Authorization') !== 0,
            ARRAY_FILTER_USE_KEY,
        );
    }
}
