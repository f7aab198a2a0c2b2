<?php

declare(strict_types=1);

namespace TPS\Guzzle;

use GuzzleHttp\Promise\Create;
use GuzzleHttp\Promise\PromiseInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Client;
use TPS\Exception\TpsException;
use TPS\Internal\Authorization;
use TPS\TokenSource;

/**
 * Middleware for Guzzle that sends the token along: $stack->push(new Authorize($client)).
 *
 * The header goes to the client's own base_url alone: to the same scheme, host and port. Any other request passes as it is,
 * and so does one with the request option 'tps' => false. When the server rejects the token, the request is sent once more
 * with another one. It is not where its body can be read only once, or where a sink of the caller's has the rejection
 * already. Every other answer is the caller's. Where there is no token to send, the request fails with a TokenUnavailableException.
 *
 * Push it last, as above: then it sees each redirect as a request of its own, and Guzzle has no header to carry elsewhere.
 *
 * While an asynchronous request waits for a login, the other transfers go on.
 */
final class Authorize
{
    /** The request option: false sends a request without the token. */
    public const OPTION = 'tps';

    private readonly Authorization $authorization;

    public function __construct(private readonly TokenSource $client)
    {
        $this->authorization = new Authorization($client);
    }

    /**
     * @param callable(RequestInterface, array<string, mixed>): PromiseInterface $handler the next one
     *
     * @return \Closure(RequestInterface, array<string, mixed>): PromiseInterface
     */
    public function __invoke(callable $handler): \Closure
    {
        return function (RequestInterface $request, array $options) use ($handler): PromiseInterface {
            try {
                if (($options[self::OPTION] ?? true) === false || !$this->authorization->isOwn($request)) {
                    return PendingToken::alongside($handler($request, $options));
                }
            } catch (TpsException $exception) {
                return Create::rejectionFor(TokenUnavailableException::because($exception));
            }
            $position = Authorization::position($request);

            $answered = function (RequestInterface $sent, ResponseInterface $answer) use ($handler, $options, $position) {
                $position = self::canTakeAnother($options['sink'] ?? null, $answer) ? $position : null;
                $repeat = $this->inGuzzle(fn (): bool => $this->authorization->isToRepeat($sent, $answer, $position));

                return $repeat ? $this->send($sent, $options, $handler) : $answer;
            };

            return $this->send($request, $options, $handler, $answered);
        };
    }

    /**
     * @param array<string, mixed>                                                $options
     * @param callable(RequestInterface, array<string, mixed>): PromiseInterface   $handler
     * @param (\Closure(RequestInterface, ResponseInterface): (ResponseInterface|PromiseInterface))|null $answered
     */
    private function send(
        #[\SensitiveParameter] RequestInterface $request,
        array $options,
        callable $handler,
        ?\Closure $answered = null,
    ): PromiseInterface {
        $go = function (?TpsException $failure = null) use ($request, $options, $handler, $answered): PromiseInterface {
            try {
                if ($failure !== null) {
                    throw $failure;
                }
                $sent = $this->authorization->authorized($request);
            } catch (TpsException $exception) {
                return Create::rejectionFor(TokenUnavailableException::because($exception));
            }
            $answer = PendingToken::alongside($handler($sent, $options));

            return $answered === null
                ? $answer
                : $answer->then(static fn (ResponseInterface $response): mixed => $answered($sent, $response));
        };

        return ($options['synchronous'] ?? false) === true || !$this->client instanceof Client
            ? $go()
            : PendingToken::of($this->client, $go);
    }

    /**
     * A file by its name is written anew. What an open handle or a stream has taken stays there, in front of the next answer.
     */
    private static function canTakeAnother(mixed $sink, ResponseInterface $answer): bool
    {
        return $sink === null
            || (is_string($sink) && !str_contains($sink, '://'))
            || $answer->getHeaderLine('Content-Length') === '0';
    }

    /**
     * @template T
     *
     * @param \Closure(): T $step
     *
     * @return T
     */
    private function inGuzzle(\Closure $step): mixed
    {
        try {
            return $step();
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
    }
}
