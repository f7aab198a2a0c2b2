<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The organization holds as many tokens as it may.
 */
final class TokenLimitException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::TokenLimit;

    protected const MESSAGE = '';
}
