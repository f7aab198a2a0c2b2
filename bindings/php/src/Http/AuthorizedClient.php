<?php

declare(strict_types=1);

namespace TPS\Http;

use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Client;
use TPS\Exception\TpsException;
use TPS\Internal\Authorization;

/**
 * A PSR-18 client around any other, that sends the token along.
 *
 * The header goes to the client's own base_url alone: to the same scheme, host and port; any other request passes as it is. When
 * the server rejects the token, the request is sent once more with another one, unless its body can be read only once.
 * Every other answer is the caller's.
 */
final class AuthorizedClient implements ClientInterface
{
    private readonly Authorization $authorization;

    /**
     * @param ClientInterface $http should follow no redirect, as PSR-18 has it: what it sends along is its own affair
     */
    public function __construct(private readonly ClientInterface $http, Client $client)
    {
        $this->authorization = new Authorization($client);
    }

    /**
     * @throws TokenUnavailableException if there is no token to send
     * @throws \Psr\Http\Client\ClientExceptionInterface as the other client
     */
    public function sendRequest(RequestInterface $request): ResponseInterface
    {
        $sent = self::asPsr18(fn () => $this->authorization->of($request));
        $answer = $this->http->sendRequest($sent);
        $again = self::asPsr18(fn () => $this->authorization->again($sent, $answer));

        return $again === null ? $answer : $this->http->sendRequest($again);
    }

    /**
     * @template T
     *
     * @param \Closure(): T $step
     *
     * @return T
     */
    private static function asPsr18(\Closure $step): mixed
    {
        try {
            return $step();
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
    }
}
