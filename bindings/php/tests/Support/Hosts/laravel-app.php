<?php

/**
 * As much of Laravel as a package's service provider meets: the real container, HTTP client and provider, and the functions of
 * its framework that they call.
 */

declare(strict_types=1);

namespace TPS\Tests\Support\Hosts;

use Illuminate\Container\Container;
use Illuminate\Http\Client\Factory;
use Illuminate\Support\Facades\Facade;
use Illuminate\Support\Facades\Http;

require_once 'Illuminate/Http/autoload.php';
require_once 'Illuminate/Container/autoload.php';
require_once 'PhpOption/autoload.php';
require_once 'Dotenv/autoload.php';

/**
 * The application: a container with a configuration.
 */
final class Application extends Container
{
    /**
     * @param array<string, mixed> $environment what .env holds
     * @param list<class-string>   $providers   as Composer's extra.laravel.providers has them
     */
    public static function boot(array $environment, array $providers): self
    {
        $_ENV = $environment + $_ENV;
        $app = new self();
        self::setInstance($app);
        Facade::clearResolvedInstances();
        Facade::setFacadeApplication($app);
        $app->instance('config', new Configuration());
        // The facade's name for the factory is its class.
        $app->singleton(Factory::class);
        $made = array_map(static fn (string $provider): object => new $provider($app), $providers);
        foreach ($made as $provider) {
            $provider->register();
        }
        foreach ($made as $provider) {
            $provider->boot();
        }

        return $app;
    }

    public function runningInConsole(): bool
    {
        return true;
    }

    public function configPath(string $path = ''): string
    {
        return "/srv/app/config/$path";
    }

    public function configurationIsCached(): bool
    {
        return false;
    }
}

/**
 * As config() of Laravel: dots for levels.
 */
final class Configuration
{
    /** @var array<string, mixed> */
    private array $values = [];

    public function get(string $key, mixed $default = null): mixed
    {
        $value = $this->values;
        foreach (explode('.', $key) as $part) {
            $value = is_array($value) ? $value[$part] ?? null : null;
        }

        return $value ?? $default;
    }

    public function set(string $key, mixed $value): void
    {
        $this->values[$key] = $value;
    }
}
