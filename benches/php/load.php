<?php

// load.php: what a page does before it has a client that holds its library. An empty script is its counterpart.

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/autoload.php';

new TPS\Client('hari@example.com', 'welcome', 'auhf2k', ['cache' => 'memory']);
