<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server answered with something that it does not promise: a redirect, no JSON, another 4xx.
 */
final class UnexpectedResponseException extends \UnexpectedValueException implements TpsException
{
    use Details;

    protected const STATUS = Status::UnexpectedResponse;

    protected const MESSAGE = '';
}
