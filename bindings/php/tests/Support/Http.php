<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

/**
 * A request with PHP's own means.
 */
final class Http
{
    /**
     * @param array<string, mixed>|null $json
     * @param list<string>              $headers
     *
     * @return array{int, mixed} the status, and the JSON of the body
     */
    public static function request(string $method, string $url, ?array $json = null, array $headers = []): array
    {
        $http = ['method' => $method, 'ignore_errors' => true, 'timeout' => 30, 'header' => $headers];
        if ($json !== null) {
            $http['header'][] = 'Content-Type: application/json';
            $http['content'] = json_encode((object) $json, JSON_THROW_ON_ERROR);
        }
        $body = file_get_contents($url, false, stream_context_create(['http' => $http]));
        if ($body === false) {
            throw new \RuntimeException("no answer from $method $url");
        }
        preg_match('~^HTTP/\S+ (\d+)~', $http_response_header[0], $match);

        return [(int) $match[1], json_decode($body, associative: true)];
    }
}
