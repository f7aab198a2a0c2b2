<?php

declare(strict_types=1);

namespace TPS\Exception;

/**
 * A mistake in the program: a client was used after close(), or was to be serialized.
 */
final class UsageException extends \LogicException implements TpsException
{
    use Details;

    protected const STATUS = null;

    protected const MESSAGE = '';
}
