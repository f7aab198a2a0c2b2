<?php

// Prints the token. With the argument `replace`: reports it as rejected, and prints the next one.

declare(strict_types=1);

require '/root/project/vendor/autoload.php';

try {
    $client = TPS\Client::fromEnvironment();
    if ($argc > 1) {
        $client->invalidate($client->token());
    }
    echo $client->token(), "\n";
} catch (TPS\Exception\TpsException $exception) {
    echo $exception->getMessage(), "\n";
    exit(1);
}
