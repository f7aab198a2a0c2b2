<?php

declare(strict_types=1);

namespace TPS\Internal;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamInterface;

/**
 * Tells an answer that rejects the token from one that refuses something else.
 *
 * Texts are translated and change. One that nobody knows counts as a rejection where the server asks for a token: the
 * library makes sure before it logs in.
 *
 * @internal
 */
final class Rejection
{
    private const DETAIL = 'Invalid token.';

    /** How the details of a 401 begin that say nothing against the token. */
    private const OTHER_DETAILS =
        '/^(?:Authentication credentials were not provided|Invalid token header|User inactive or deleted)/';

    /** An entry in WWW-Authenticate that is the scheme Token. */
    private const TOKEN_SCHEME = '/(?:^|,)\s*Token(?:[\s,]|$)/i';

    /** No answer that matters here is longer. */
    private const BYTES = 65_536;

    /**
     * @param mixed $outcome of what a user of the token has called: a response, a status, or anything else
     */
    public static function in(mixed $outcome): bool
    {
        if (is_object($outcome) && method_exists($outcome, 'toPsrResponse')) {
            $outcome = $outcome->toPsrResponse();
        }
        if ($outcome instanceof ResponseInterface) {
            return self::of($outcome);
        }
        if (is_object($outcome) && method_exists($outcome, 'getStatusCode')) {
            $outcome = $outcome->getStatusCode();
        }

        return $outcome === 401;
    }

    /**
     * Leaves the body at its beginning, or untouched where it can be read only once.
     */
    public static function of(ResponseInterface $response): bool
    {
        $status = $response->getStatusCode();
        if ($status !== 401 && $status !== 403) {
            return false;
        }
        $detail = self::detail($response->getBody());
        if ($detail === self::DETAIL) {
            return true;
        }
        if ($status === 403 || preg_match(self::OTHER_DETAILS, $detail ?? '') === 1) {
            return false;
        }

        return preg_match(self::TOKEN_SCHEME, $response->getHeaderLine('WWW-Authenticate')) === 1;
    }

    private static function detail(StreamInterface $body): ?string
    {
        if (!$body->isSeekable() || !$body->isReadable()) {
            return null;
        }
        $answer = json_decode(self::beginning($body), associative: true);

        return is_string($answer['detail'] ?? null) ? $answer['detail'] : null;
    }

    private static function beginning(StreamInterface $body): string
    {
        $text = '';
        $body->rewind();
        while (strlen($text) < self::BYTES && !$body->eof()) {
            $part = $body->read(self::BYTES - strlen($text));
            if ($part === '') {
                break;
            }
            $text .= $part;
        }
        $body->rewind();

        return $text;
    }
}
