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
echo json_encode(['direct' => $direct, 'found' => $found, 'length' => $length]), "\n";
