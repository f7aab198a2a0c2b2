<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * A bug in the library.
 */
final class InternalException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Internal;

    protected const MESSAGE = '';
}
