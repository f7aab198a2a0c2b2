<?php

declare(strict_types=1);

namespace TPS\Tests;

use Illuminate\Http\Client\Factory;
use Illuminate\Support\Facades\Http;
use PHPUnit\Framework\TestCase;
use TPS\Client;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\TpsException;
use TPS\Laravel\TpsServiceProvider;
use TPS\Testing\Fake;
use TPS\Testing\FakeClient;
use TPS\Tests\Support\Hosts\Application;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;
use TPS\TokenSource;

/**
 * The service provider, with the real container and HTTP client of Laravel.
 */
final class LaravelTest extends TestCase
{
    /** @var array<string, mixed> */
    private array $environment;

    public static function setUpBeforeClass(): void
    {
        require_once __DIR__ . '/Support/Hosts/laravel-app.php';
    }

    protected function setUp(): void
    {
        $this->environment = $_ENV;
    }

    protected function tearDown(): void
    {
        $_ENV = $this->environment;
        Fake::uninstall();
    }

    public function testComposerNamesTheProvider(): void
    {
        $composer = json_decode(file_get_contents(__DIR__ . '/../composer.json'), true);

        self::assertSame([TpsServiceProvider::class], $composer['extra']['laravel']['providers']);
    }

    public function testARequestWithTheToken(): void
    {
        $organization = Organization::make();
        $app = self::application($organization);
        self::assertSame(0, $organization->count('logins'), 'nothing is sent at the start');

        for ($i = 0; $i < 3; $i++) {
            self::assertSame($organization->name, Http::tps()->get('/organizations/')->json('results.0.name'));
        }
        $organization->revoke();
        self::assertSame($organization->name, Http::tps()->get('/organizations/')->throw()->json('results.0.name'));
        self::assertSame([2, 4], [$organization->count('logins'), $organization->count('api_calls')]);
        self::assertSame($app->make(Client::class), $app->make(TokenSource::class));
    }

    public function testAsyncAndPool(): void
    {
        $organization = Organization::make();
        self::application($organization);
        $promises = array_map(static fn () => Http::tps()->async()->get('/organizations/'), [1, 2, 3]);
        foreach ($promises as $promise) {
            self::assertSame($organization->name, $promise->wait()->json('results.0.name'));
        }
        $answers = Http::pool(static fn ($pool): array => [
            $pool->tps()->get('/organizations/'),
            $pool->as('second')->tps()->get('/organizations/'),
        ]);
        self::assertSame($organization->name, $answers['second']->json('results.0.name'));
        self::assertSame([1, 5], [$organization->count('logins'), $organization->count('api_calls')]);
    }

    public function testWhatIsSetBeforeStays(): void
    {
        $organization = Organization::make();
        self::application($organization);
        $seen = [];
        $middleware = \GuzzleHttp\Middleware::tap(static function ($request) use (&$seen): void {
            $seen[] = $request->getHeaderLine('X-A');
        });
        Http::withHeaders(['X-A' => 'b'])->withMiddleware($middleware)->tps()->get('/organizations/')->throw();

        self::assertSame(['b'], $seen);
    }

    /** What tests of Laravel do: no token is asked for, and none is needed. */
    public function testFakedRequestsNeverLogIn(): void
    {
        $organization = Organization::make();
        foreach ([self::application($organization), Application::boot([], [TpsServiceProvider::class])] as $app) {
            Http::fake(['*/assets/*' => Factory::response(['id' => 5])]);
            self::assertSame(5, Http::tps()->get('/assets/5/')->json('id'));
            Http::assertSent(static fn ($request): bool => str_ends_with($request->url(), '/api/v1/assets/5/'));
            self::assertFalse($app->resolved(Client::class));
        }
        self::assertSame(0, $organization->count('logins'));
    }

    public function testAnApplicationWithoutCredentialsStartsAndIsToldLater(): void
    {
        Application::boot([], [TpsServiceProvider::class]);
        try {
            Http::tps()->get('/organizations/');
            self::fail('nothing was thrown');
        } catch (TpsException $exception) {
            self::assertInstanceOf(InvalidArgumentException::class, $exception->getPrevious());
            self::assertStringContainsString('username, password, organizationId: null', $exception->getMessage());
        }
    }

    /** The credentials are the configuration's: what the environment has besides is not used. */
    public function testTheTokenOfTheEnvironmentServesNobodyElse(): void
    {
        $organization = Organization::make();
        $app = self::application($organization, ['TPS_TOKEN' => 'of-another-account']);

        self::assertSame(200, $organization->statusFor($app->make(Client::class)->token()));
    }

    public function testASuiteWithFakeInstall(): void
    {
        Fake::install('from-the-script');
        $organization = Organization::make();
        $app = self::application($organization);

        self::assertSame('from-the-script', $app->make(TokenSource::class)->token());
        $app->instance(TokenSource::class, new FakeClient('another'));
        self::assertSame('another', $app->make(TokenSource::class)->token());
        self::assertSame(0, $organization->count('logins'));
    }

    /**
     * @param array<string, string> $more
     */
    private static function application(Organization $organization, array $more = []): Application
    {
        return Application::boot([
            'TPS_USERNAME' => $organization->username,
            'TPS_PASSWORD' => $organization->password,
            'TPS_ORGANIZATION_ID' => $organization->id,
            'TPS_BASE_URL' => Servers::knox(),
            'TPS_CACHE' => 'memory',
        ] + $more, [TpsServiceProvider::class]);
    }
}
