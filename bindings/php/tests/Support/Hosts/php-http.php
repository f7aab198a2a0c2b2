<?php

/**
 * php-http: the real promise, and the interface of its plugins, which no package of Debian has (client-common 2.7).
 */

declare(strict_types=1);

namespace Http\Client\Common;

use Http\Promise\Promise;
use Psr\Http\Message\RequestInterface;

require_once 'Http/Promise/autoload.php';
require_once 'Psr/Http/Message/autoload.php';

if (!interface_exists(Plugin::class, false)) {
    interface Plugin
    {
        public function handleRequest(RequestInterface $request, callable $next, callable $first): Promise;
    }
}
