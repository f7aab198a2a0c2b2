<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

use TPS\Client;

/**
 * A user and an organization at the test server, of one test alone.
 */
final class Organization
{
    private function __construct(
        public readonly string $id,
        public readonly string $name,
        public readonly string $username,
        public readonly string $password,
    ) {
    }

    /**
     * @param array<string, mixed> $settings token_life, token_limit, latency, throttle, fault
     */
    public static function make(array $settings = []): self
    {
        $made = self::control('POST', '', $settings);

        return new self($made['organization_id'], $made['name'], $made['username'], $made['password']);
    }

    /**
     * @param array<string, mixed> $settings
     */
    public function change(array $settings): void
    {
        self::control('PATCH', "$this->id/", $settings);
    }

    /** Makes all tokens invalid, as an administrator can. */
    public function revoke(): void
    {
        self::control('POST', "$this->id/revoke/", []);
    }

    /**
     * What the server has counted: logins, tokens_made, tokens, logouts, api_calls.
     */
    public function count(string $what): int
    {
        return self::control('GET', "$this->id/")[$what];
    }

    /** What the server says to a token: 200 or 401. */
    public function statusFor(string $token): int
    {
        $url = Servers::knox() . '/api/v1/organizations/';
        [$status] = Http::request('GET', $url, headers: ["Authorization: Token $token"]);

        return $status;
    }

    /**
     * The three credentials, as Client takes them.
     *
     * @return array<string, string>
     */
    public function credentials(): array
    {
        return ['username' => $this->username, 'password' => $this->password, 'organizationId' => $this->id];
    }

    /**
     * @param array<string, mixed> $options
     */
    public function login(array $options = []): Client
    {
        return Client::login(...$this->credentials(), options: self::options($options));
    }

    /**
     * @param array<string, mixed> $options
     */
    public function client(array $options = []): Client
    {
        return new Client(...$this->credentials(), options: self::options($options));
    }

    /**
     * @param array<string, mixed> $more
     *
     * @return array<string, mixed>
     */
    public static function options(array $more = []): array
    {
        return $more + ['base_url' => Servers::knox(), 'cache' => 'memory'];
    }

    /**
     * @param array<string, mixed>|null $json
     *
     * @return array<string, mixed>
     */
    private static function control(string $method, string $path, ?array $json = null): array
    {
        [$status, $answer] = Http::request($method, Servers::knox() . "/_test/organizations/$path", $json);
        if ($status >= 300) {
            throw new \RuntimeException("$method $path was answered $status: " . json_encode($answer));
        }

        return $answer;
    }
}
