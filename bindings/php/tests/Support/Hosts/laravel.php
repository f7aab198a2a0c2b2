<?php

/**
 * As much of Laravel as its HTTP client and a service provider need: the real ones, and the two helpers of its framework.
 */

declare(strict_types=1);

use App\Providers\AppServiceProvider;
use Illuminate\Container\Container;
use Illuminate\Support\Facades\Facade;

require 'Illuminate/Http/autoload.php';
require 'Illuminate/Container/autoload.php';

Facade::setFacadeApplication(Container::getInstance());

function app(string $class): object
{
    return Container::getInstance()->make($class);
}

function config(string $key): string
{
    return getenv('TPS_' . strtoupper(substr($key, strlen('services.tpstreams.'))));
}

// Between two snippets: the provider is registered and booted once it is there.
return static function (): void {
    if (class_exists(AppServiceProvider::class, autoload: false)) {
        $provider = new AppServiceProvider(Container::getInstance());
        $provider->register();
        $provider->boot();
    }
};
