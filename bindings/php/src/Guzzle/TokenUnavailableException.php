<?php

declare(strict_types=1);

namespace TPS\Guzzle;

use GuzzleHttp\Exception\TransferException;
use TPS\Exception\Because;
use TPS\Exception\TpsException;

/**
 * There is no token to send: an exception of Guzzle, and so of PSR-18, with status, httpStatus and retryAfter of the
 * reason, which getPrevious() is.
 */
final class TokenUnavailableException extends TransferException implements TpsException
{
    use Because;

    protected const STATUS = null;

    protected const MESSAGE = '';
}
