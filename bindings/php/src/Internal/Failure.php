<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\CredentialsException;
use TPS\Exception\InternalException;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\LoginBudgetException;
use TPS\Exception\NetworkException;
use TPS\Exception\OutcomeUnknownException;
use TPS\Exception\ServerException;
use TPS\Exception\ThrottledException;
use TPS\Exception\TimeoutException;
use TPS\Exception\TlsException;
use TPS\Exception\TokenLimitException;
use TPS\Exception\TpsException;
use TPS\Exception\UnexpectedResponseException;
use TPS\Exception\UnknownStatusException;
use TPS\Status;

/**
 * Makes an exception from what the library reports.
 *
 * @internal
 */
final class Failure
{
    /**
     * @param int $httpStatus   0: there was none
     * @param int $retryAfterMs milliseconds
     */
    public static function exception(int $status, string $message, int $httpStatus, int $retryAfterMs): TpsException
    {
        $class = match (Status::tryFrom($status)) {
            Status::InvalidArgument => InvalidArgumentException::class,
            Status::Credentials => CredentialsException::class,
            Status::TokenLimit => TokenLimitException::class,
            Status::Throttled => ThrottledException::class,
            Status::Network => NetworkException::class,
            Status::Tls => TlsException::class,
            Status::Timeout => TimeoutException::class,
            Status::Server => ServerException::class,
            Status::UnexpectedResponse => UnexpectedResponseException::class,
            Status::OutcomeUnknown => OutcomeUnknownException::class,
            Status::LoginBudget => LoginBudgetException::class,
            Status::Internal => InternalException::class,
            // A library newer than this package.
            null => UnknownStatusException::class,
        };

        return new $class(
            $message,
            $httpStatus === 0 ? null : $httpStatus,
            retryAfter: $retryAfterMs / 1000,
            code: $status,
        );
    }
}
