<?php

declare(strict_types=1);

namespace TPS\Exception;

/**
 * The library libtps cannot be found or loaded. The message says why, and what to type.
 */
final class LibraryException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = null;

    protected const MESSAGE = '';
}
