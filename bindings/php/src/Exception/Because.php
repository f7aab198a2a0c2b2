<?php

declare(strict_types=1);

namespace TPS\Exception;

/**
 * An exception of a framework's own kind, for the reason that one of this package gives.
 *
 * @internal
 */
trait Because
{
    use Details;

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
