<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * Holds a token for code that runs later. Not in a property, so that no dump, cast or export of a closure shows it.
 *
 * @internal
 */
final class Secret
{
    /** @var \WeakMap<self, string>|null */
    private static ?\WeakMap $values = null;

    public function __construct(#[\SensitiveParameter] string $value)
    {
        self::$values ??= new \WeakMap();
        self::$values[$this] = $value;
    }

    public function reveal(): string
    {
        return self::$values[$this] ?? '';
    }
}
