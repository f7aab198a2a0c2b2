<?php

declare(strict_types=1);

namespace TPS\Internal;

use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamInterface;
use TPS\Exception\TokenRejectedException;

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
        if (is_array($outcome)) {
            return self::inWordPress($outcome);
        }
        if (!is_object($outcome)) {
            return $outcome === 401;
        }
        if (method_exists($outcome, 'toPsrResponse')) {
            $outcome = $outcome->toPsrResponse();
        }
        if ($outcome instanceof ResponseInterface) {
            return self::of($outcome);
        }

        return method_exists($outcome, 'getStatusCode') && $outcome->getStatusCode() === 401;
    }

    /**
     * Whether an exception, or one that led to it, reports a rejection: by itself, or by the response that it carries.
     *
     * @param mixed $reason what was thrown, or why a promise was rejected
     */
    public static function causes(mixed $reason): bool
    {
        if (!$reason instanceof \Throwable) {
            return self::in($reason);
        }
        for ($exception = $reason; $exception !== null; $exception = $exception->getPrevious()) {
            if ($exception instanceof TokenRejectedException || self::in(self::responseOf($exception))) {
                return true;
            }
        }

        return false;
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

        return self::inAnswer($status, $response->getHeaderLine('WWW-Authenticate'), self::text($response->getBody()));
    }

    /**
     * @param string      $scheme the header WWW-Authenticate; "": there is none
     * @param string|null $body   null: it cannot be looked at
     */
    public static function inAnswer(int $status, string $scheme, ?string $body): bool
    {
        $detail = self::detail($body ?? '');
        if ($status !== 401 && $status !== 403) {
            return false;
        }
        if ($detail === self::DETAIL) {
            return true;
        }
        if ($status === 403 || preg_match(self::OTHER_DETAILS, $detail ?? '') === 1) {
            return false;
        }

        return preg_match(self::TOKEN_SCHEME, $scheme) === 1;
    }

    /**
     * What wp_remote_request() returns.
     *
     * @param array<mixed> $answer
     */
    private static function inWordPress(array $answer): bool
    {
        $status = is_array($answer['response'] ?? null) ? $answer['response']['code'] ?? null : null;
        if (!is_int($status)) {
            return false;
        }
        // An array, or an object that is used as one.
        $headers = $answer['headers'] ?? [];
        $scheme = $headers['www-authenticate'] ?? '';
        $body = $answer['body'] ?? null;

        return self::inAnswer(
            $status,
            is_array($scheme) ? implode(', ', $scheme) : (string) $scheme,
            is_string($body) ? $body : null,
        );
    }

    /** By method, as with Guzzle, Symfony and php-http, or by property, as with Laravel; or the exception's own status. */
    private static function responseOf(\Throwable $exception): mixed
    {
        if (method_exists($exception, 'getResponse')) {
            return $exception->getResponse();
        }
        if (isset($exception->response)) {
            return $exception->response;
        }

        return method_exists($exception, 'getStatusCode') ? $exception->getStatusCode() : null;
    }

    private static function detail(string $body): ?string
    {
        $answer = json_decode($body, associative: true);

        return is_array($answer) && is_string($answer['detail'] ?? null) ? $answer['detail'] : null;
    }

    private static function text(StreamInterface $body): ?string
    {
        return $body->isSeekable() && $body->isReadable() ? self::beginning($body) : null;
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
