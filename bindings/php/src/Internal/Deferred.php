<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * A request that waits for a login.
 *
 * @internal
 */
interface Deferred
{
    /** Sends it, unless that was done. A failure is its caller's, who looks at it later. */
    public function begin(): void;
}
