<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The login was sent and its answer was lost: a token may have been made.
 */
final class OutcomeUnknownException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::OutcomeUnknown;

    protected const MESSAGE = '';
}
