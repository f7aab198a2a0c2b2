<?php

/**
 * The functions of WordPress that the snippet calls, with PHP's own HTTP, and what stands in wp-config.php.
 */

declare(strict_types=1);

define('VIDEOS_USERNAME', getenv('TPS_USERNAME'));
define('VIDEOS_PASSWORD', getenv('TPS_PASSWORD'));
define('VIDEOS_ORGANIZATION_ID', getenv('TPS_ORGANIZATION_ID'));

function wp_remote_get(string $url, array $arguments): array
{
    $headers = [];
    foreach ($arguments['headers'] as $name => $value) {
        $headers[] = "$name: $value";
    }
    $http = ['header' => $headers, 'ignore_errors' => true, 'follow_location' => $arguments['redirection']];
    $body = file_get_contents($url, false, stream_context_create(['http' => $http]));

    return ['body' => $body, 'response' => ['code' => (int) explode(' ', $http_response_header[0])[1]]];
}

function wp_remote_retrieve_response_code(array $response): int
{
    return $response['response']['code'];
}

function wp_remote_retrieve_body(array $response): string
{
    return $response['body'];
}

return static fn () => null;
