<?php

declare(strict_types=1);

namespace TPS\Guzzle;

use GuzzleHttp\Exception\TransferException;
use TPS\Exception\Details;
use TPS\Exception\TpsException;

/**
 * There is no token to send: an exception of Guzzle, and so of PSR-18, with status, httpStatus and retryAfter of the
 * reason, which getPrevious() is.
 */
final class TokenUnavailableException extends TransferException implements TpsException
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
