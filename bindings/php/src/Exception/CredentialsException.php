<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * The server refused the username, the password or the organization.
 */
final class CredentialsException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::Credentials;

    protected const MESSAGE = '';
}
