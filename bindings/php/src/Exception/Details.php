<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * What each exception of this package carries.
 *
 * @internal
 */
trait Details
{
    /** The kind of fault; see TpsException. */
    public readonly ?Status $status;

    /** HTTP status of the answer that caused it; null where there was none. */
    public readonly ?int $httpStatus;

    /** Seconds for which nothing will be sent; 0.0: a call may try at once. */
    public readonly float $retryAfter;

    /**
     * The order is SPL's: message, number, previous.
     *
     * @param string          $message    one line without secrets
     * @param int|null        $httpStatus HTTP status of the answer that caused it; null: there was none
     * @param \Throwable|null $previous   what led to this one
     * @param float           $retryAfter seconds for which nothing will be sent
     * @param int|null        $code       the number of the status where the class does not tell it
     */
    final public function __construct(
        string $message = '',
        ?int $httpStatus = null,
        ?\Throwable $previous = null,
        float $retryAfter = 0.0,
        ?int $code = null,
    ) {
        $this->status = static::STATUS ?? Status::tryFrom($code ?? 0);
        $this->httpStatus = $httpStatus;
        $this->retryAfter = $retryAfter;
        $code ??= $this->status === null ? 0 : $this->status->value;
        parent::__construct($message === '' ? static::MESSAGE : $message, $code, $previous);
    }
}
