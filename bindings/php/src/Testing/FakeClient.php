<?php

declare(strict_types=1);

namespace TPS\Testing;

use Psr\Log\LoggerInterface;
use TPS\Client;
use TPS\Exception\InvalidArgumentException;
use TPS\Exception\TpsException;
use TPS\Internal\Arguments;

/**
 * A Client for tests: it takes its tokens from a script, and needs neither the library nor a network.
 *
 *     new FakeClient();                                               // always the same token
 *     new FakeClient(['one', 'two']);                                 // the second once the first was rejected
 *     new FakeClient(['one', new ThrottledException('…', 429)]);  // no other one then
 */
final class FakeClient extends Client
{
    private readonly Script $script;

    /**
     * @param string|TpsException|list<string|TpsException> $token   what token() gives, in this order: a token until it is
     *                                                               rejected or logged out, an exception once. The last
     *                                                               of them stays.
     * @param string                                        $baseUrl where requests get the header
     */
    public function __construct(
        #[\SensitiveParameter] string|TpsException|array $token = 'fake-token',
        string $baseUrl = 'https://app.tpstreams.com',
    ) {
        $this->script = Script::of(is_array($token) ? array_values($token) : [$token], $baseUrl);
        $this->standOn($this->script);
    }

    /**
     * A client with the usual token. Credentials and options that the real one refuses are refused here too.
     */
    public static function login(
        #[\SensitiveParameter] ?string $username = null,
        #[\SensitiveParameter] ?string $password = null,
        ?string $organizationId = null,
        #[\SensitiveParameter] array $options = [],
        ?LoggerInterface $logger = null,
    ): self {
        foreach (['username' => $username, 'password' => $password, 'organizationId' => $organizationId] as $name => $value) {
            Arguments::text($name, $value ?? throw new InvalidArgumentException("$name missing: it is null"));
        }
        OptionRules::check($options);

        return new self();
    }

    /**
     * A client with the usual token, whatever the environment.
     */
    public static function fromEnvironment(
        #[\SensitiveParameter] array $options = [],
        ?LoggerInterface $logger = null,
    ): self {
        OptionRules::check($options);

        return new self();
    }

    /**
     * The tokens that were reported as rejected while they were the current one.
     *
     * @return list<string>
     */
    public function rejected(): array
    {
        return $this->script->rejected();
    }
}
