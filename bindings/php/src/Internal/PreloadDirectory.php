<?php

declare(strict_types=1);

namespace TPS\Internal;

use TPS\Exception\LibraryException;

/**
 * A copy of the package for FPM to preload, outside of any release: a release that is removed takes nothing with it.
 *
 * @internal
 */
final class PreloadDirectory
{
    /**
     * @return string its absolute path
     *
     * @throws LibraryException if the library cannot be loaded, or the directory cannot be written
     */
    public static function write(string $directory): string
    {
        // FPM does not start with a library that does not fit, and does not say why.
        Native::version();
        $library = Library::find()->file;
        if ($library === Library::SYSTEM) {
            throw new LibraryException("the library is the system's $library: set TPS_LIBRARY to its path");
        }
        self::make($directory);
        $directory = (string) realpath($directory);
        $package = dirname(__DIR__, 2);
        foreach (self::files($package) as $file) {
            self::put("$directory/$file", (string) file_get_contents("$package/$file"));
        }
        $copy = $directory . '/lib/' . self::platform() . '/libtps.so';
        self::put($copy, (string) file_get_contents($library));
        self::put("$directory/tps.h", Library::at($copy)->preloadHeader());

        return $directory;
    }

    /**
     * @return list<string>
     */
    private static function files(string $package): array
    {
        $files = ['autoload.php', 'preload.php', 'version.php'];
        $sources = new \RecursiveIteratorIterator(
            new \RecursiveDirectoryIterator("$package/src", \FilesystemIterator::SKIP_DOTS),
        );
        /** @var \SplFileInfo $source */
        foreach ($sources as $source) {
            $files[] = substr($source->getPathname(), strlen($package) + 1);
        }

        return $files;
    }

    /** The name of the directory in which the copy looks first. */
    private static function platform(): string
    {
        return basename(dirname(Library::places()[0]));
    }

    private static function make(string $directory): void
    {
        if (!is_dir($directory) && !@mkdir($directory, 0755, true)) {
            throw self::failed($directory);
        }
    }

    /** In one step: a library that is overwritten in place crashes the processes that use it. */
    private static function put(string $file, string $content): void
    {
        self::make(dirname($file));
        $new = "$file.new";
        if (@file_put_contents($new, $content) !== strlen($content) || !chmod($new, 0644) || !rename($new, $file)) {
            throw self::failed($file);
        }
    }

    private static function failed(string $file): LibraryException
    {
        return new LibraryException("$file cannot be written: " . (error_get_last()['message'] ?? 'no reason given'));
    }
}
