<?php

declare(strict_types=1);

namespace TPS\Exception;

/**
 * Thrown by what Client::withToken() calls: the server answered that the token is not, or no longer, valid.
 */
final class TokenRejectedException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = null;

    protected const MESSAGE = 'the server rejected the token';
}
