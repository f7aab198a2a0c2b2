<?php

declare(strict_types=1);

namespace TPS\Http;

use Psr\Http\Client\ClientExceptionInterface;
use TPS\Exception\Details;
use TPS\Exception\TpsException;

/**
 * There is no token to send: what PSR-18 lets a client throw, with status, httpStatus and retryAfter of the
 * reason, which getPrevious() is.
 */
final class TokenUnavailableException extends \RuntimeException implements ClientExceptionInterface, TpsException
{
    use Details;

    protected const STATUS = null;

    protected const MESSAGE = '';

    /** @internal */
    public static function because(TpsException $reason): self
    {
        return new self(
            $reason->getMessage(),
            $reason->httpStatus,
            $reason,
            $reason->retryAfter,
            $reason->getCode(),
        );
    }
}
