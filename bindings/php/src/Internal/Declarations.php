<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * The C interface of libtps, as far as this package uses it, in the flavour that PHP's parser takes.
 *
 * Here and not in a file of its own: opcache keeps it, no request looks for it, and it cannot be missing. A client is a number
 * here, of a pointer's size: PHP can keep it without keeping a pointer.
 *
 * @internal
 */
final class Declarations
{
    /** The function that came last. A header without it, which ffi.preload may have read, is of an older package. */
    public const NEWEST = 'tps_generation_word';

    public const C = <<<'C'
        typedef struct tps_error {
          int32_t status;
          int32_t http_status;
          int64_t retry_after_ms;
          const char *message;
        } tps_error;

        typedef struct tps_word {
          uint64_t value;
        } tps_word;

        uintptr_t tps_login(const char *, const char *, const char *, const char *, tps_error **);
        char *tps_token(uintptr_t, tps_error **);
        void tps_free(void *);
        int tps_invalidate(uintptr_t, const char *, tps_error **);
        int tps_logout_wait(uintptr_t, uint32_t, tps_error **);
        uint64_t tps_generation(uintptr_t);
        const uint64_t *tps_generation_word(uintptr_t);
        int tps_wait(uintptr_t, uint32_t, tps_error **);
        char *tps_stats(uintptr_t, tps_error **);
        const char *tps_version(void);
        C;
}
