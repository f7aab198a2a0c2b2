<?php

declare(strict_types=1);

require __DIR__ . '/../package/autoload.php';

echo TPS\Client::fromEnvironment()->token(), "\n";
