<?php

declare(strict_types=1);

require __DIR__ . '/../package/autoload.php';

header('Content-Type: application/json');

try {
    $client = TPS\Client::fromEnvironment(['cache' => 'memory']);
    $answer = ['pid' => getmypid(), 'token' => $client->token(), 'logins' => $client->stats()['logins']];
} catch (TPS\Exception\TpsException $exception) {
    $answer = ['error' => $exception->getMessage()];
}
echo json_encode($answer);
