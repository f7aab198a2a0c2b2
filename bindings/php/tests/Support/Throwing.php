<?php

declare(strict_types=1);

namespace TPS\Tests\Support;

/**
 * For tests that go on after an exception.
 */
trait Throwing
{
    private function assertThrows(string $class, callable $call): \Throwable
    {
        try {
            $call();
        } catch (\Throwable $thrown) {
            self::assertInstanceOf($class, $thrown);

            return $thrown;
        }
        self::fail('nothing was thrown');
    }
}
