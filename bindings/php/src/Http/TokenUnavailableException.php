<?php

declare(strict_types=1);

namespace TPS\Http;

use Psr\Http\Client\ClientExceptionInterface;
use TPS\Exception\Because;
use TPS\Exception\TpsException;

/**
 * There is no token to send: what PSR-18 lets a client throw, with status, httpStatus and retryAfter of the
 * reason, which getPrevious() is.
 */
final class TokenUnavailableException extends \RuntimeException implements ClientExceptionInterface, TpsException
{
    use Because;

    protected const STATUS = null;

    protected const MESSAGE = '';
}
