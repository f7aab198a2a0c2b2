<?php

declare(strict_types=1);

namespace TPS\HttPlug;

use Http\Client\Common\Plugin;
use Http\Promise\Promise;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Exception\TpsException;
use TPS\Http\TokenUnavailableException;
use TPS\Internal\Authorization;
use TPS\Internal\Waiting;
use TPS\TokenSource;

/**
 * A plugin for clients of php-http that sends the token along: new PluginClient($http, [new AuthorizePlugin($client)]).
 *
 * The header goes to the client's own base_url alone; any other request passes as it is. When the server rejects the token, the
 * request is sent once more with another one, unless its body can be read only once. Every other answer is the caller's. Put
 * it last: then it sees each redirect as a request of its own.
 */
final class AuthorizePlugin implements Plugin
{
    private readonly Authorization $authorization;

    public function __construct(private readonly TokenSource $source)
    {
        $this->authorization = new Authorization($source);
    }

    /**
     * @param callable(RequestInterface): Promise $next
     * @param callable(RequestInterface): Promise $first
     *
     * @throws TokenUnavailableException if there is no token to send
     */
    public function handleRequest(RequestInterface $request, callable $next, callable $first): Promise
    {
        try {
            if (!$this->authorization->isOwn($request)) {
                return $next($request);
            }
            $client = Waiting::client($this->source);
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
        $send = fn (): Promise => $this->send($request, $next);

        return $client === null ? $send() : new DeferredPromise($client, $send);
    }

    /**
     * @param callable(RequestInterface): Promise $next
     */
    private function send(RequestInterface $request, callable $next): Promise
    {
        $position = Authorization::position($request);
        try {
            $sent = $this->authorization->authorized($request);
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }

        return $next($sent)->then(function (ResponseInterface $answer) use ($sent, $next, $position): ResponseInterface {
            try {
                return $this->authorization->isToRepeat($sent, $answer, $position)
                    ? $next($this->authorization->authorized($sent))->wait()
                    : $answer;
            } catch (TpsException $exception) {
                throw TokenUnavailableException::because($exception);
            }
        });
    }
}
