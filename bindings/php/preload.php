<?php

/**
 * For opcache.preload, by itself or required by a preload file of your own: PHP's default ffi.enable=preload lets none
 * but preloaded code use FFI.
 */

declare(strict_types=1);

require_once __DIR__ . '/autoload.php';

(static function (): void {
    $directory = new RecursiveDirectoryIterator(__DIR__ . '/src', FilesystemIterator::SKIP_DOTS);
    foreach (new RecursiveIteratorIterator($directory) as $file) {
        require_once $file->getPathname();
    }
})();
