<?php

/**
 * Says which version is installed here, at each start: PHP-FPM may have preloaded another one.
 */

declare(strict_types=1);

TPS\Package::expect('0.2.0', __DIR__);
