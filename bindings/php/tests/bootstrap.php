<?php

declare(strict_types=1);

require __DIR__ . '/../autoload.php';
// Debian's packages, in the include_path.
require 'GuzzleHttp/autoload.php';

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'TPS\\Tests\\')) {
        require __DIR__ . '/' . strtr(substr($class, strlen('TPS\\Tests\\')), '\\', '/') . '.php';
    }
});

// What a developer has in the environment shall not reach the tests.
foreach (['USERNAME', 'PASSWORD', 'ORGANIZATION_ID', 'TOKEN', 'BASE_URL', 'CACHE', 'CA_FILE'] as $name) {
    putenv("TPS_$name");
    unset($_SERVER["TPS_$name"], $_ENV["TPS_$name"]);
}
