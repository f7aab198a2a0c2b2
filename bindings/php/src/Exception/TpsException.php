<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * Everything that this package throws. There is one class per status, and each has a parent of SPL too.
 *
 * The message is one line and holds no secret.
 *
 * @property-read Status|null $status     the kind of fault; null where it is none of the library's: it could not be loaded,
 *                                        the server rejected a token, or this package is older than the library
 * @property-read int|null    $httpStatus HTTP status of the answer that caused it; null where there was none
 * @property-read float       $retryAfter seconds for which nothing will be sent; 0.0: a call may try at once
 */
interface TpsException extends \Throwable
{
}
