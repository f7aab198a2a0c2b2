<?php

declare(strict_types=1);

namespace TPS\Http;

use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Exception\TpsException;
use TPS\Internal\Authorization;
use TPS\TokenSource;

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
    public function __construct(private readonly ClientInterface $http, TokenSource $client)
    {
        $this->authorization = new Authorization($client);
    }

    /**
     * @throws TokenUnavailableException if there is no token to send
     * @throws \Psr\Http\Client\ClientExceptionInterface as the other client
     */
    public function sendRequest(RequestInterface $request): ResponseInterface
    {
        if (!self::asPsr18(fn () => $this->authorization->isOwn($request))) {
            return $this->http->sendRequest($request);
        }
        $position = Authorization::position($request);
        $sent = self::asPsr18(fn () => $this->authorization->authorized($request));
        $answer = $this->http->sendRequest($sent);
        if (!self::asPsr18(fn () => $this->authorization->isToRepeat($sent, $answer, $position))) {
            return $answer;
        }

        return $this->http->sendRequest(self::asPsr18(fn () => $this->authorization->authorized($sent)));
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
