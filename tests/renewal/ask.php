<?php

// Asks for a token, prints it, takes as long as a request does, and leaves.

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/autoload.php';

$client = TPS\Client::fromEnvironment(['refresh_ahead' => (int) getenv('AHEAD')]);
// In one piece: others print at the same moment.
fwrite(STDOUT, $client->token() . "\n");
usleep(100_000);
