<?php

// load.php: loads the library, and nothing else. An empty script is its counterpart.

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/autoload.php';

TPS\Internal\Native::version();
