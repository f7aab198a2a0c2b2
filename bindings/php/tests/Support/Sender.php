<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

use GuzzleHttp\Client as Guzzle;
use GuzzleHttp\Handler\MockHandler;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Client;
use TPS\Guzzle\Authorize;
use TPS\Http\AuthorizedClient;

/**
 * Sends PSR-7 requests with a client's token in one of the two ways, and remembers what went out.
 */
final class Sender
{
    public const WAYS = ['PSR-18', 'Guzzle'];

    /** @var list<array{request: RequestInterface, response: ?ResponseInterface, options: array<string, mixed>}> */
    private array $history = [];

    private readonly Guzzle|AuthorizedClient $http;

    /**
     * @param string                       $way     one of WAYS
     * @param list<ResponseInterface>|null $answers null: those of a server
     * @param array<string, mixed>         $options of Guzzle
     */
    public function __construct(string $way, Client $client, ?array $answers = null, array $options = [])
    {
        $stack = HandlerStack::create($answers === null ? null : new MockHandler($answers));
        if ($way === 'Guzzle') {
            $stack->push(new Authorize($client));
        }
        $stack->push(Middleware::history($this->history));
        $guzzle = new Guzzle(['handler' => $stack, 'http_errors' => false] + $options);
        $this->http = $way === 'Guzzle' ? $guzzle : new AuthorizedClient($guzzle, $client);
    }

    public function send(RequestInterface $request): ResponseInterface
    {
        return $this->http instanceof Guzzle ? $this->http->send($request) : $this->http->sendRequest($request);
    }

    /**
     * The header of each request that went out; "" where there was none.
     *
     * @return list<string>
     */
    public function sent(): array
    {
        return array_map(
            static fn (array $exchange): string => $exchange['request']->getHeaderLine('Authorization'),
            $this->history,
        );
    }
}
