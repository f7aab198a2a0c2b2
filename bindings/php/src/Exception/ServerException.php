<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server answered with a status of 500 or more.
 */
final class ServerException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Server;

    protected const MESSAGE = '';
}
