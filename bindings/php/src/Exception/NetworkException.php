<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server could not be reached: name resolution, connection, proxy.
 */
final class NetworkException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Network;

    protected const MESSAGE = '';
}
