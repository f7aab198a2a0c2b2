<?php

/**
 * The documentation's sample, made right: logs in once, and then reuses the token for every call.
 *
 *     export TPS_USERNAME=… TPS_PASSWORD=… TPS_ORGANIZATION_ID=…
 *     php examples/php/login.php
 */

declare(strict_types=1);

use TPS\Client;
use TPS\Exception\TokenRejectedException;

// With Composer: vendor/autoload.php.
require __DIR__ . '/../../bindings/php/autoload.php';

// Or Client::login(username: '…', password: '…', organizationId: '…').
$client = Client::fromEnvironment();
echo "token: {$client->token()}\n";

$url = $client->baseUrl() . '/api/v1/organizations/';
$body = $client->withToken(static function (#[SensitiveParameter] string $token) use ($url): string {
    // PHP would take the header along to another host.
    $http = ['header' => "Authorization: Token $token", 'follow_location' => 0, 'ignore_errors' => true];
    $body = file_get_contents($url, context: stream_context_create(['http' => $http]));
    if (str_contains($http_response_header[0], ' 401 ')) {
        throw new TokenRejectedException();
    }

    return $body;
});
$answer = json_decode($body, flags: JSON_THROW_ON_ERROR);
echo "organization: {$answer->results[0]->name}\n";

for ($i = 0; $i < 10_000; $i++) {
    $client->token();
}

$logins = $client->stats()['logins'];
echo "asked for the token 10,000 times more: $logins login" . ($logins === 1 ? '' : 's') . "\n";
