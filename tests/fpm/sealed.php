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
// The number that the client watches: what leads from it to other memory.
$word = (new ReflectionProperty(TPS\Client::class, 'word'))->getValue($client);
$ways = [
    'addr' => fn () => FFI::addr($word),
    'cast' => fn () => FFI::cast('char *', $word),
    'string' => fn () => FFI::string($word, 64),
    'memcpy' => fn () => FFI::memcpy($word, $word, 8),
    'memset' => fn () => FFI::memset($word, 0, 8),
    'memcmp' => fn () => FFI::memcmp($word, str_repeat('x', 64), 64),
    'typeof' => fn () => FFI::typeof($word),
    'sizeof' => fn () => FFI::sizeof($word),
    'free' => fn () => FFI::free($word),
    'index' => fn () => $word[1],
    'sum' => fn () => $word + 1,
    'walk' => fn () => iterator_to_array($word),
    'field' => fn () => $word->value,
    'call' => fn () => $word(),
];
$led = $word instanceof FFI\CData ? [] : ['none'];
foreach ($ways as $name => $way) {
    try {
        $way();
        $led[] = $name;
    } catch (Error) {
    }
}
echo json_encode(['word' => implode(' ', $led) ?: 'nowhere', 'forged' => implode(' ', $forged), 'direct' => $direct, 'found' => $found, 'length' => $length]), "\n";
