<?php

/**
 * Loads the classes of TPS on demand, for programs without Composer.
 */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, 'TPS\\')) {
        return;
    }
    $file = __DIR__ . '/src/' . strtr(substr($class, 4), '\\', '/') . '.php';
    if (is_file($file)) {
        require_once $file;
    }
});

require __DIR__ . '/version.php';
