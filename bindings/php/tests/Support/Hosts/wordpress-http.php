<?php

/**
 * WordPress's HTTP functions and classes with their real shapes (6.1: wp-includes/http.php, class-wp-error.php,
 * Requests' CaseInsensitiveDictionary), by PHP's own HTTP.
 */

declare(strict_types=1);

if (!class_exists('WP_Error', false)) {
    class WP_Error
    {
        public array $errors = [];

        public array $error_data = [];

        public function __construct(string|int $code = '', string $message = '', mixed $data = '')
        {
            $this->errors[$code][] = $message;
            $this->error_data[$code] = $data;
        }

        public function get_error_code(): string|int
        {
            return array_key_first($this->errors) ?? '';
        }

        public function get_error_message(): string
        {
            return $this->errors[$this->get_error_code()][0] ?? '';
        }

        public function get_error_data(): mixed
        {
            return $this->error_data[$this->get_error_code()] ?? null;
        }
    }

    function is_wp_error(mixed $thing): bool
    {
        return $thing instanceof WP_Error;
    }

    function wp_remote_request(string $url, array $args = []): array|WP_Error
    {
        $headers = [];
        foreach ($args['headers'] ?? [] as $name => $value) {
            $headers[] = "$name: $value";
        }
        $http = ['method' => $args['method'] ?? 'GET', 'header' => $headers, 'ignore_errors' => true,
            'follow_location' => ($args['redirection'] ?? 5) > 0 ? 1 : 0];
        $body = @file_get_contents($url, false, stream_context_create(['http' => $http]));
        if ($body === false) {
            return new WP_Error('http_request_failed', 'cURL error 7: Failed to connect');
        }
        $values = [];
        foreach (array_slice($http_response_header, 1) as $line) {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $values[strtolower($name)] = trim($value);
        }
        [, $code, $message] = explode(' ', $http_response_header[0], 3) + [2 => ''];

        return [
            // Requests_Utility_CaseInsensitiveDictionary
            'headers' => new class ($values) extends ArrayObject {
                public function offsetGet(mixed $key): mixed
                {
                    return $this->offsetExists($key) ? parent::offsetGet(strtolower($key)) : null;
                }

                public function offsetExists(mixed $key): bool
                {
                    return parent::offsetExists(strtolower($key));
                }
            },
            'body' => $body,
            'response' => ['code' => (int) $code, 'message' => $message],
            'cookies' => [],
            'filename' => null,
            'http_response' => new stdClass(),
        ];
    }

    function wp_remote_get(string $url, array $args = []): array|WP_Error
    {
        return wp_remote_request($url, ['method' => 'GET'] + $args);
    }

    function wp_remote_retrieve_response_code(array|WP_Error $response): int|string
    {
        return is_array($response) ? $response['response']['code'] : '';
    }

    function wp_remote_retrieve_body(array|WP_Error $response): string
    {
        return is_array($response) ? $response['body'] : '';
    }
}
