<?php

declare(strict_types=1);

namespace TPS\Internal;

use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use TPS\Exception\TpsException;
use TPS\TokenSource;

/**
 * Gives PSR-7 requests the client's token, and decides what follows an answer.
 *
 * It keeps no token: the one that was sent is in the request.
 *
 * @internal
 */
final class Authorization
{
    private const HEADER = 'Authorization';

    private const SCHEME = 'Token ';

    /** Looked up once: base_url stays. */
    private ?Origin $origin = null;

    public function __construct(private readonly TokenSource $source)
    {
    }

    /**
     * Whether the token goes along.
     *
     * @throws TpsException as TokenSource::baseUrl()
     */
    public function isOwn(RequestInterface $request): bool
    {
        $this->origin ??= new Origin($this->source->baseUrl());

        return $this->origin->holds((string) $request->getUri());
    }

    /**
     * The request with the header, in place of one that it has.
     *
     * @throws TpsException as TokenSource::token()
     */
    public function authorized(#[\SensitiveParameter] RequestInterface $request): RequestInterface
    {
        return $request->withHeader(self::HEADER, $this->source->authorization());
    }

    /**
     * The position of the body before it is sent: a repeated one begins there too.
     *
     * @return int|null null: unknown, it can be sent once
     */
    public static function position(RequestInterface $request): ?int
    {
        $body = $request->getBody();
        try {
            return $body->isSeekable() ? $body->tell() : null;
        } catch (\RuntimeException) {
            return null;
        }
    }

    /**
     * Reports the token if the answer rejects it.
     *
     * @param RequestInterface $sent     what was answered
     * @param int|null         $position of its body, before it was sent
     *
     * @return bool whether the same request can be sent now, with another token; false: the answer stands
     *
     * @throws TpsException as TokenSource::invalidate()
     */
    public function isToRepeat(
        #[\SensitiveParameter] RequestInterface $sent,
        ResponseInterface $answer,
        ?int $position,
    ): bool {
        if (!Rejection::of($answer)) {
            return false;
        }
        $this->source->invalidate(substr($sent->getHeaderLine(self::HEADER), strlen(self::SCHEME)));
        if ($position === null) {
            return false;
        }
        try {
            $sent->getBody()->seek($position);
        } catch (\RuntimeException) {
            return false;
        }

        return true;
    }
}
