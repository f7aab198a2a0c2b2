<?php

/**
 * Laravel with the package discovered, and .env as the environment.
 */

declare(strict_types=1);

use TPS\Laravel\TpsServiceProvider;
use TPS\Tests\Support\Hosts\Application;

require_once __DIR__ . '/laravel-app.php';

Application::boot(array_filter(getenv(), static fn ($name) => str_starts_with($name, 'TPS_'), ARRAY_FILTER_USE_KEY), [TpsServiceProvider::class]);

return static fn () => null;
