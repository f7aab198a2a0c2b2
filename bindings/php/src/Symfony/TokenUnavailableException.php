<?php

declare(strict_types=1);

namespace TPS\Symfony;

use Symfony\Contracts\HttpClient\Exception\TransportExceptionInterface;
use TPS\Exception\Because;
use TPS\Exception\TpsException;

/**
 * There is no token to send: an exception of Symfony's HTTP client, with status, httpStatus and retryAfter of the
 * reason, which getPrevious() is.
 */
final class TokenUnavailableException extends \RuntimeException implements TransportExceptionInterface, TpsException
{
    use Because;

    protected const STATUS = null;

    protected const MESSAGE = '';
}
