<?php

// request.php: a request by the PSR-18 decorator beside the same without it. One JSON object.

declare(strict_types=1);

require 'GuzzleHttp/autoload.php';
require __DIR__ . '/../../bindings/php/autoload.php';

const ROUNDS = 15;
const CALLS = 100;

$client = TPS\Client::fromEnvironment(['cache' => 'memory']);
$guzzle = new GuzzleHttp\Client(['http_errors' => false]);
$decorated = new TPS\Http\AuthorizedClient($guzzle, $client);
$url = $client->baseUrl() . '/api/v1/organizations/';

$ours = static fn () => $decorated->sendRequest(new GuzzleHttp\Psr7\Request('GET', $url));
$other = static fn () => $guzzle->sendRequest(
    new GuzzleHttp\Psr7\Request('GET', $url, ['Authorization' => $client->authorization()]),
);
$time = static function (Closure $send): float {
    $start = hrtime(true);
    for ($i = 0; $i < CALLS; $i++) {
        if ($send()->getStatusCode() !== 200) {
            throw new RuntimeException('no answer');
        }
    }

    return (hrtime(true) - $start) / 1e6 / CALLS;
};

$time($ours);
$time($other);
$samples = ['ours' => [], 'other' => []];
for ($round = 0; $round < ROUNDS; $round++) {
    $samples['ours'][] = $time($ours);
    $samples['other'][] = $time($other);
}
echo json_encode(['row' => 'PHP request', 'unit' => 'ms', 'against' => 'Guzzle'] + $samples), "\n";
