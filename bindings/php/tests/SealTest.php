<?php

declare(strict_types=1);

namespace TPS\Tests;

use PHPUnit\Framework\TestCase;
use TPS\Tests\Support\Child;
use TPS\Tests\Support\Organization;
use TPS\Tests\Support\Servers;

/**
 * With ffi.enable=preload only preloaded code may use FFI. A page must not get at the object, by reflection neither: with it,
 * it could read and write any memory. One number of the library's is all there is. The same under FPM, and what a page can do with
 * the number: tests/fpm/sealed.php.
 */
final class SealTest extends TestCase
{
    public function testOneNumberCanBeReached(): void
    {
        $organization = Organization::make();
        $child = Child::run(<<<'PHP'
            $client = TPS\Client::fromEnvironment();
            $client->token();
            $seen = new SplObjectStorage();
            $found = [];
            $look = function (mixed $value, string $path) use (&$look, $seen, &$found): void {
                if (is_array($value)) {
                    foreach ($value as $key => $item) { $look($item, "$path.$key"); }
                    return;
                }
                if (!is_object($value) || $seen->contains($value)) { return; }
                $seen->attach($value);
                if ($value instanceof FFI || $value instanceof FFI\CType) { $found[] = $path; }
                if ($value instanceof FFI\CData) { $found[] = "$path: " . FFI::typeof($value)->getName(); }
                if ($value instanceof Closure) {
                    $function = new ReflectionFunction($value);
                    $look($function->getStaticVariables(), "$path()");
                    $look($function->getClosureThis(), "$path.this");
                }
                if ($value instanceof Generator) {
                    $look((new ReflectionGenerator($value))->getFunction()->getStaticVariables(), "$path()");
                    // What it gives, it gives to anybody.
                    $look($value->current(), "$path.current");
                    $look($value->send(0), "$path.send");
                }
                if ($value instanceof WeakMap) { foreach ($value as $key => $item) { $look($key, "$path.key"); $look($item, $path); } }
                for ($class = new ReflectionObject($value); $class; $class = $class->getParentClass()) {
                    foreach ($class->getProperties() as $property) {
                        if (!$property->isStatic() && $property->isInitialized($value)) {
                            $look($property->getValue($value), "$path->{$property->name}");
                        }
                    }
                }
            };
            foreach (get_declared_classes() as $name) {
                if (!str_starts_with($name, 'TPS\\')) { continue; }
                $class = new ReflectionClass($name);
                foreach ($class->getProperties(ReflectionProperty::IS_STATIC) as $property) {
                    $look($property->getValue(), "$name::{$property->name}");
                }
                foreach ($class->getMethods() as $method) {
                    if (!$method->isAbstract()) { $look($method->getStaticVariables(), "$name::{$method->name}()"); }
                    if ($method->getReturnType() instanceof ReflectionNamedType && $method->isPublic()
                        && str_contains($method->getReturnType()->getName(), 'FFI')) { $found[] = "$name::{$method->name}"; }
                }
            }
            $look($client, 'client');
            echo json_encode([$found, count($seen) >= 3, strlen($client->token())]);
            PHP, [
                'TPS_USERNAME' => $organization->username,
                'TPS_PASSWORD' => $organization->password,
                'TPS_ORGANIZATION_ID' => $organization->id,
                'TPS_BASE_URL' => Servers::knox(),
                'TPS_CACHE' => 'memory',
            ]);

        self::assertSame(['[["client->word: uint64_t"],true,64]', ''], [$child->stdout, $child->stderr]);
    }
}
