<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * An argument or option is missing, empty, unknown or of the wrong type. The message names it; nothing was sent.
 */
final class InvalidArgumentException extends \InvalidArgumentException implements TpsException
{
    use Details;

    protected const STATUS = Status::InvalidArgument;

    protected const MESSAGE = '';
}
