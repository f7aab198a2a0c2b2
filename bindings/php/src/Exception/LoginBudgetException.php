<?php

declare(strict_types=1);

namespace TPS\Exception;

use TPS\Status;

/**
 * Too many logins already: see the option logins_per_day and $retryAfter.
 */
final class LoginBudgetException extends \RuntimeException implements TpsException
{
    use Details;

    protected const STATUS = Status::LoginBudget;

    protected const MESSAGE = '';
}
