<?php

/**
 * TPStreams for Laravel. `php artisan vendor:publish --tag=tps-config` copies this file to config/tps.php.
 *
 * Read here alone: with a cached configuration Laravel does not load .env.
 */

declare(strict_types=1);

return [
    'username' => env('TPS_USERNAME'),
    'password' => env('TPS_PASSWORD'),
    'organization_id' => env('TPS_ORGANIZATION_ID'),

    // As the fourth argument of TPS\Client; null: not given.
    'options' => [
        'base_url' => env('TPS_BASE_URL'),
        'cache' => env('TPS_CACHE'),
    ],
];
