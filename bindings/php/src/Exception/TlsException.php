<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server's certificate is not trusted, or TLS failed otherwise.
 */
final class TlsException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Tls;

    protected const MESSAGE = '';
}
