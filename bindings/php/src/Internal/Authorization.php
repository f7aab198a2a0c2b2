<?php

declare(strict_types=1);

namespace TPS\Internal;

use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\UriInterface;
use TPS\Client;
use TPS\Exception\TpsException;

/**
 * Gives PSR-7 requests the client's token, and decides what follows an answer.
 *
 * It keeps no token: the one that was sent stands in the request.
 *
 * @internal
 */
final class Authorization
{
    private const HEADER = 'Authorization';

    private const SCHEME = 'Token ';

    private const PORTS = ['http' => 80, 'https' => 443];

    public function __construct(private readonly Client $client)
    {
    }

    /**
     * @return RequestInterface with the header; one to another host than the client's as it is
     *
     * @throws TpsException as Client::token()
     */
    public function of(RequestInterface $request): RequestInterface
    {
        return $this->isOwn($request->getUri()) ? $this->authorized($request) : $request;
    }

    /**
     * Reports the token if the answer rejects it.
     *
     * @param RequestInterface $sent what was answered
     *
     * @return RequestInterface|null what to send now, with another token; null: the answer stands
     *
     * @throws TpsException as Client::token()
     */
    public function again(#[\SensitiveParameter] RequestInterface $sent, ResponseInterface $answer): ?RequestInterface
    {
        if (!$this->isOwn($sent->getUri()) || !Rejection::of($answer)) {
            return null;
        }
        $this->client->invalidate(substr($sent->getHeaderLine(self::HEADER), strlen(self::SCHEME)));
        $body = $sent->getBody();
        if (!$body->isSeekable()) {
            return null;
        }
        $body->rewind();

        return $this->authorized($sent);
    }

    private function authorized(#[\SensitiveParameter] RequestInterface $request): RequestInterface
    {
        return $request->withHeader(self::HEADER, self::SCHEME . $this->client->token());
    }

    /** By scheme, host and port, as the web tells one origin from another. */
    private function isOwn(UriInterface $uri): bool
    {
        $own = parse_url($this->client->stats()['base_url']);
        $scheme = strtolower($uri->getScheme());

        return $scheme === strtolower($own['scheme'])
            && strcasecmp($uri->getHost(), $own['host']) === 0
            && ($uri->getPort() ?? self::PORTS[$scheme]) === ($own['port'] ?? self::PORTS[$scheme]);
    }
}
