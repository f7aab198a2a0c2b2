<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * Everything that this package throws at run time. There is one subclass per status.
 *
 * The message is one line and holds no secret.
 */
class TpsException extends \RuntimeException
{
    protected const STATUS = null;

    protected const MESSAGE = '';

    /**
     * The kind of fault; null where it is none of the library's: it could not be loaded, or the server rejected a token, or
     * the library is newer and knows a kind that has no name here.
     */
    public readonly ?Status $status;

    /**
     * @param string          $message    one line without secrets
     * @param int|null        $httpStatus HTTP status of the answer that caused it; null where there was none
     * @param float           $retryAfter seconds for which nothing will be sent; 0.0: a call may try at once
     * @param int|null        $code       the number of the status where the class does not tell it
     * @param \Throwable|null $previous
     */
    final public function __construct(
        string $message = '',
        public readonly ?int $httpStatus = null,
        public readonly float $retryAfter = 0.0,
        ?int $code = null,
        ?\Throwable $previous = null,
    ) {
        $this->status = static::STATUS ?? Status::tryFrom($code ?? 0);
        parent::__construct($message === '' ? static::MESSAGE : $message, $code ?? $this->status?->value ?? 0, $previous);
    }
}
