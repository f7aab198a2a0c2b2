<?php

declare(strict_types=1);

namespace TPS\Guzzle;

use GuzzleHttp\Promise\PromiseInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Client;
use TPS\Internal\Authorization;

/**
 * Middleware for Guzzle that sends the token along: $stack->push(new Authorize($client)).
 *
 * The header goes to the client's own base_url alone: to the same scheme, host and port; any other request passes as it is. When
 * the server rejects the token, the request is sent once more with another one, unless its body can be read only once.
 * Every other answer is the caller's. Where there is no token to send, the request fails with a TpsException.
 *
 * Push it last, as above: then it sees each redirect as a request of its own, and Guzzle has no header to carry elsewhere.
 */
final class Authorize
{
    private readonly Authorization $authorization;

    public function __construct(Client $client)
    {
        $this->authorization = new Authorization($client);
    }

    /**
     * @param callable(RequestInterface, array): PromiseInterface $handler the next one
     *
     * @return \Closure(RequestInterface, array): PromiseInterface
     */
    public function __invoke(callable $handler): \Closure
    {
        return function (RequestInterface $request, array $options) use ($handler): PromiseInterface {
            $sent = $this->authorization->of($request);

            return $handler($sent, $options)->then(
                function (ResponseInterface $answer) use ($handler, $sent, $options): ResponseInterface|PromiseInterface {
                    $again = $this->authorization->again($sent, $answer);

                    return $again === null ? $answer : $handler($again, $options);
                },
            );
        };
    }
}
