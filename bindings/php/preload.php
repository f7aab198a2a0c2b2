<?php

/**
 * For opcache.preload, by itself or required by a preload file of your own: PHP's default ffi.enable=preload lets none
 * but preloaded code use FFI. vendor/bin/tps-preload writes a copy that stays when a release is removed: name that one.
 */

declare(strict_types=1);

require_once __DIR__ . '/autoload.php';

(static function (): void {
    // These extend what a project need not have, nor its autoloader be known here. They are no users of FFI.
    $needed = [
        'Guzzle' => 'GuzzleHttp\Exception\TransferException',
        'Http' => 'Psr\Http\Client\ClientInterface',
        'HttPlug' => 'Http\Client\Common\Plugin',
        'Laravel' => 'Illuminate\Support\ServiceProvider',
        'Symfony' => 'Symfony\Component\HttpClient\Response\AsyncResponse',
    ];
    $files = new RecursiveIteratorIterator(
        new RecursiveDirectoryIterator(__DIR__ . '/src', FilesystemIterator::SKIP_DOTS),
    );
    foreach ($files as $file) {
        $needs = $needed[basename($file->getPath())] ?? null;
        if ($needs === null || class_exists($needs) || interface_exists($needs)) {
            require_once $file->getPathname();
        }
    }
})();
