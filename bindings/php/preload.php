<?php

/**
 * For opcache.preload, by itself or required by a preload file of your own: PHP's default ffi.enable=preload lets none
 * but preloaded code use FFI.
 */

declare(strict_types=1);

require_once __DIR__ . '/autoload.php';

(static function (): void {
    $directory = new RecursiveDirectoryIterator(__DIR__ . '/src', FilesystemIterator::SKIP_DOTS);
    $psr18 = interface_exists(Psr\Http\Client\ClientInterface::class);
    foreach (new RecursiveIteratorIterator($directory) as $file) {
        // src/Http implements interfaces of PSR-18, which a project need not have, nor its autoloader be known here.
        if ($psr18 || $file->getPath() !== __DIR__ . '/src/Http') {
            require_once $file->getPathname();
        }
    }
})();
