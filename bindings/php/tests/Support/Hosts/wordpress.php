<?php

/**
 * WordPress's functions, and what wp-config.php defines.
 */

declare(strict_types=1);

require_once __DIR__ . '/wordpress-http.php';

define('VIDEOS_USERNAME', getenv('TPS_USERNAME'));
define('VIDEOS_PASSWORD', getenv('TPS_PASSWORD'));
define('VIDEOS_ORGANIZATION_ID', getenv('TPS_ORGANIZATION_ID'));

return static fn () => null;
