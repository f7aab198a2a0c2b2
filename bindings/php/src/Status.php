<?php

declare(strict_types=1);

namespace TPS;

/**
 * What kind of fault the library reports. The numbers are those of the C interface and never change.
 */
enum Status: int
{
    case InvalidArgument = 1;
    case Credentials = 2;
    case TokenLimit = 3;
    case Throttled = 4;
    case Network = 5;
    case Tls = 6;
    case Timeout = 7;
    case Server = 8;
    case UnexpectedResponse = 9;
    case OutcomeUnknown = 10;
    case LoginBudget = 11;
    case Internal = 12;
}
