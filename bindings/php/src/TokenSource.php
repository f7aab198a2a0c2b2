<?php

declare(strict_types=1);

namespace TPS;

use TPS\Exception\TpsException;

/**
 * Gives the token of one account: what the decorators take. Client is one, and so is Testing\FakeClient.
 */
interface TokenSource
{
    /**
     * The valid token.
     *
     * @throws TpsException one class per reason
     */
    public function token(): string;

    /**
     * The value for the header Authorization: "Token …".
     *
     * @throws TpsException as token()
     */
    public function authorization(): string;

    /**
     * Says that the server answered 401 to this very token.
     *
     * @param string $token the token that was sent
     *
     * @throws TpsException one class per reason
     */
    public function invalidate(#[\SensitiveParameter] string $token): void;

    /**
     * The URL of the server that the token is for. It goes to no other origin.
     *
     * @throws TpsException one class per reason
     */
    public function baseUrl(): string;
}
