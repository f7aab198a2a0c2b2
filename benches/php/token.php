<?php

// token.php [PREFIX]: $client->token() beside apcu_fetch of the same string. One JSON object. PREFIX tells apart what is
// measured with different tokens.

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/autoload.php';

const ROUNDS = 15;
const CALLS = 100_000;

$client = TPS\Client::fromEnvironment(['cache' => 'memory']);
apcu_store('token', $client->token());

$ours = static function () use ($client): void {
    for ($i = 0; $i < CALLS; $i++) {
        $client->token();
    }
};
$apcu = static function (): void {
    for ($i = 0; $i < CALLS; $i++) {
        apcu_fetch('token');
    }
};
$time = static function (Closure $work): float {
    $start = hrtime(true);
    $work();

    return (hrtime(true) - $start) / CALLS;
};

$samples = ['ours' => [], 'other' => []];
$ours();
$apcu();
for ($round = 0; $round < ROUNDS; $round++) {
    $samples['ours'][] = $time($ours);
    $samples['other'][] = $time($apcu);
}
echo json_encode(['row' => ($argv[1] ?? '') . 'PHP token', 'unit' => 'ns', 'against' => 'apcu_fetch'] + $samples), "\n";
