<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server could not be reached: name resolution, connection, proxy.
 */
final class NetworkException extends TpsException
{
    protected const STATUS = Status::Network;
}
