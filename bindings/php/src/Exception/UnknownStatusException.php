<?php

declare(strict_types=1);

namespace TPS\Exception;

/**
 * The library reports a status that this package does not know: it is newer. getCode() is its number.
 */
final class UnknownStatusException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = null;

    protected const MESSAGE = '';
}
