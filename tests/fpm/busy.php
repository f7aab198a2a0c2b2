<?php

declare(strict_types=1);

require __DIR__ . '/../package/autoload.php';

try {
    echo TPS\Client::fromEnvironment()->token();
} catch (TPS\Exception\ThrottledException $exception) {
    http_response_code(503);
    header('Retry-After: ' . (int) ceil($exception->retryAfter));
    echo 'Please come back later.';
}
