<?php

declare(strict_types=1);

namespace TPS\Laravel;

use GuzzleHttp\Promise\PromiseInterface;
use GuzzleHttp\Utils;
use Illuminate\Contracts\Container\Container;
use Illuminate\Http\Client\PendingRequest;
use Illuminate\Support\ServiceProvider;
use Psr\Http\Message\RequestInterface;
use Psr\Log\LoggerInterface;
use TPS\Client;
use TPS\Guzzle\Authorize;
use TPS\TokenSource;

/**
 * Gives Laravel TPS\Client and TPS\TokenSource by config/tps.php, and Http::tps(): a request to the API with the token.
 *
 * Nothing is sent, and no credential is missed, before the first token is asked for. A request that Http::fake() answers asks
 * for none.
 */
class TpsServiceProvider extends ServiceProvider
{
    public function register(): void
    {
        $this->mergeConfigFrom(dirname(__DIR__, 2) . '/config/tps.php', 'tps');
        $this->app->singleton(Client::class, static function (Container $app): Client {
            $config = $app->make('config');

            return new Client(
                $config->get('tps.username'),
                $config->get('tps.password'),
                $config->get('tps.organization_id'),
                $config->get('tps.options') ?? [],
                $app->bound(LoggerInterface::class) ? $app->make(LoggerInterface::class) : null,
            );
        });
        $this->app->bind(TokenSource::class, Client::class);
    }

    public function boot(): void
    {
        if ($this->app->runningInConsole()) {
            $this->publishes([dirname(__DIR__, 2) . '/config/tps.php' => $this->app->configPath('tps.php')], 'tps-config');
        }
        // Http::tps() leads there, and so does the request of a pool.
        PendingRequest::macro('tps', self::request($this->app));
    }

    /**
     * Laravel binds it to the request.
     *
     * @return \Closure(): PendingRequest
     */
    private static function request(Container $app): \Closure
    {
        $handler = Utils::chooseHandler();
        // The client is made when the first request goes out, not before.
        $send = static fn (RequestInterface $request, array $options): PromiseInterface =>
            (new Authorize($app->make(TokenSource::class)))($handler)($request, $options);

        return function () use ($app, $send): PendingRequest {
            $baseUrl = $app->make('config')->get('tps.options.base_url') ?? 'https://app.tpstreams.com';

            /** @var PendingRequest $this */
            // Beneath what answers faked requests, and beneath the redirects.
            return $this->baseUrl(rtrim($baseUrl, '/') . '/api/v1')->setHandler($send);
        };
    }
}
