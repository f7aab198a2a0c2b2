<?php

/**
 * What a page can get hold of where only preloaded code may use FFI.
 */

declare(strict_types=1);

require __DIR__ . '/../package/autoload.php';

try {
    FFI::cdef('int getpid(void);');
    $direct = 'allowed';
} catch (FFI\Exception) {
    $direct = 'restricted';
}
$client = TPS\Client::fromEnvironment();
$length = strlen($client->token());

$found = 'nothing';
$look = static function (mixed $value) use (&$look, &$found): void {
    if ($value instanceof FFI || $value instanceof FFI\CData) {
        $found = get_class($value);
    } elseif ($value instanceof Generator) {
        $look($value->current());
        $look($value->send(0));
    } elseif (is_object($value)) {
        foreach ((new ReflectionObject($value))->getProperties() as $property) {
            $look($property->isInitialized($value) ? $property->getValue($value) : null);
        }
    }
};
foreach (preg_grep('/^TPS/', get_declared_classes()) as $class) {
    foreach ((new ReflectionClass($class))->getProperties(ReflectionProperty::IS_STATIC) as $property) {
        $look($property->getValue());
    }
}
$backend = new ReflectionProperty(TPS\Client::class, 'backend');
$look($backend->getValue($client));

// One with an address of the page's choice, in the two ways that PHP has.
$forged = [];
$address = 0x1000;
try {
    $native = (new ReflectionClass(TPS\Internal\Native::class))->newInstanceWithoutConstructor();
    (new ReflectionProperty($native, 'client'))->setValue($native, $address);
    $forged[] = $native->generation() === 0 ? 'refused' : 'taken';
    $native->stats();
    $forged[] = 'taken';
} catch (TPS\Exception\TpsException) {
    $forged[] = 'refused';
}
try {
    unset($native);
    $forged[] = 'freed';
} catch (TPS\Exception\TpsException) {
    $forged[] = 'refused';
}
try {
    unserialize('O:19:"TPS\Internal\Native":1:{s:27:"' . "\0TPS\\Internal\\Native\0client" . '";i:4096;}');
    $forged[] = 'taken';
} catch (TPS\Exception\TpsException) {
    $forged[] = 'refused';
}
echo json_encode(['forged' => implode(' ', $forged), 'direct' => $direct, 'found' => $found, 'length' => $length]), "\n";
