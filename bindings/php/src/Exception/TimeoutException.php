<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The time was over first: see the option timeout_ms.
 */
final class TimeoutException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Timeout;

    protected const MESSAGE = '';
}
