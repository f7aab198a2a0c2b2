<?php

declare(strict_types=1);

require __DIR__ . '/../package/autoload.php';

try {
    $client = TPS\Client::fromEnvironment(isset($_GET['ahead']) ? ['refresh_ahead' => (int) $_GET['ahead']] : []);
    $answer = [
        'pid' => getmypid(),
        'token' => $client->token(),
        'logins' => $client->stats()['logins'],
        'memory' => preg_replace('/.*^RssAnon:\s*(\d+) kB.*/ms', '$1', file_get_contents('/proc/self/status')),
    ];
} catch (TPS\Exception\TpsException $exception) {
    $answer = ['error' => $exception->getMessage()];
}
echo json_encode($answer), "\n";
