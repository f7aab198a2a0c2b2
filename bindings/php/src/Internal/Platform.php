<?php

declare(strict_types=1);

namespace TPS\Internal;

/**
 * What a program or a library was built for, by the name that the package's directories have, such as x86_64-linux-musl.
 *
 * @internal
 */
final class Platform
{
    private const MACHINES = [3 => 'i386', 40 => 'arm', 62 => 'x86_64', 183 => 'aarch64', 243 => 'riscv64'];

    /** The file that runs. Its loader's name, in the first page, tells the C library. */
    private const SELF = '/proc/self/exe';

    private const PAGE = 4096;

    /**
     * @param int|null $length how much of the file is read
     *
     * @return string|null its platform; null: no ELF file, or one that cannot be read
     */
    public static function of(string $file, ?int $length = null): ?string
    {
        $content = (string) @file_get_contents($file, length: $length);
        if (strlen($content) < 20 || !str_starts_with($content, "\x7FELF")) {
            return null;
        }
        $number = unpack('v', $content, 18)[1];
        $machine = self::MACHINES[$number] ?? "machine $number";

        return "$machine-linux" . self::cLibrary($content);
    }

    public static function ofThisPhp(): ?string
    {
        return self::of(self::SELF, self::PAGE);
    }

    /** Whether a library of one serves the other. One that names no C library serves with each. */
    public static function fit(string $one, string $other): bool
    {
        return str_starts_with($one, $other) || str_starts_with($other, $one);
    }

    /** Whether this PHP has musl, as on Alpine. */
    public static function isMusl(): bool
    {
        return self::cLibrary((string) @file_get_contents(self::SELF, length: self::PAGE)) === '-musl';
    }

    /** A file contains the names that it asks for, each between zero bytes. */
    private static function cLibrary(string $content): string
    {
        return match (true) {
            preg_match('~/ld-musl-|\x00libc\.(?:musl-\w+\.)?so(?:\.1)?\x00~', $content) === 1 => '-musl',
            preg_match('~/ld-linux|\x00libc\.so\.6\x00~', $content) === 1 => '-gnu',
            default => '',
        };
    }
}
