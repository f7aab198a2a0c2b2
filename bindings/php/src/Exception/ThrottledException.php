<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server asks to wait: see $retryAfter.
 */
final class ThrottledException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Throttled;

    protected const MESSAGE = '';
}
