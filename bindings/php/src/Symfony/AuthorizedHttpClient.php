<?php

declare(strict_types=1);

namespace TPS\Symfony;

use Symfony\Component\HttpClient\AsyncDecoratorTrait;
use Symfony\Component\HttpClient\Response\AsyncResponse;
use Symfony\Component\HttpClient\Response\ResponseStream;
use Symfony\Contracts\HttpClient\HttpClientInterface;
use Symfony\Contracts\HttpClient\ResponseInterface;
use Symfony\Contracts\HttpClient\ResponseStreamInterface;
use Symfony\Contracts\Service\ResetInterface;
use TPS\Exception\TpsException;
use TPS\Internal\Origin;
use TPS\Internal\Waiting;
use TPS\TokenSource;

/**
 * A client of Symfony around any other, that sends the token along: streams, concurrent requests and retries work as without.
 * request() does not wait for a login: its request is sent once there is a token and the response is looked at.
 *
 * A relative URL is one of the API: without the option base_uri it is resolved against the token's base_url. The header goes to
 * that origin alone, along no redirect to another one. When the server rejects the token, the request is sent once more with
 * another one, unless its body can be read only once. Every other answer is the caller's.
 */
final class AuthorizedHttpClient implements HttpClientInterface, ResetInterface
{
    use AsyncDecoratorTrait {
        stream as private streamOfClient;
        withOptions as private withOptionsOfClient;
    }

    private const REDIRECTS = 20;

    private TokenSource $source;

    private ?Origin $origin = null;

    /** The one of withOptions(). */
    private ?string $baseUri = null;

    private ?int $maxRedirects = null;

    public function __construct(HttpClientInterface $client, TokenSource $source)
    {
        $this->client = $client;
        $this->source = $source;
    }

    /**
     * @param array<string, mixed> $options as of any client of Symfony
     *
     * @throws TokenUnavailableException if there is no token to send
     */
    public function request(string $method, string $url, array $options = []): ResponseInterface
    {
        try {
            $this->origin ??= new Origin($this->source->baseUrl());
            $target = $url;
            if (parse_url($url, PHP_URL_HOST) === null) {
                $options['base_uri'] ??= $this->baseUri ?? $this->source->baseUrl();
                // Symfony takes one that it has taken apart, too.
                $target = implode('', (array) $options['base_uri']);
            }
            $options['headers'] = iterator_to_array(self::headers($options['headers'] ?? []), false);
            $exchange = new Exchange(
                $this->source,
                $this->origin,
                $method,
                $options,
                (int) ($options['max_redirects'] ?? $this->maxRedirects ?? self::REDIRECTS),
            );

            $send = fn () => $this->send($exchange, $method, $url, $target);

            $client = $this->origin->holds($target) ? Waiting::client($this->source) : null;
            $info = ['http_method' => $method, 'url' => $target, 'user_data' => $options['user_data'] ?? null];

            return $client === null ? $send() : new DeferredResponse($client, $send, $info);
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
    }

    /**
     * @param ResponseInterface|iterable<ResponseInterface> $responses of this client
     */
    public function stream($responses, ?float $timeout = null): ResponseStreamInterface
    {
        $responses = $responses instanceof ResponseInterface ? [$responses] : $responses;

        return new ResponseStream(DeferredResponse::stream($responses, $timeout, $this->streamOfClient(...)));
    }

    /**
     * @param array<string, mixed> $options as of any client of Symfony
     */
    public function withOptions(array $options): static
    {
        $other = $this->withOptionsOfClient($options);
        $other->baseUri = $options['base_uri'] ?? $this->baseUri;
        $other->maxRedirects = $options['max_redirects'] ?? $this->maxRedirects;

        return $other;
    }

    private function send(Exchange $exchange, string $method, string $url, string $target): AsyncResponse
    {
        try {
            return new AsyncResponse($this->client, $method, $url, $exchange->optionsFor($target), $exchange->answer(...));
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
    }

    /**
     * @param iterable<int|string, mixed> $headers in one of the ways that Symfony takes
     *
     * @return \Generator<string> as lines
     */
    private static function headers(iterable $headers): \Generator
    {
        foreach ($headers as $name => $values) {
            foreach (is_iterable($values) ? $values : [$values] as $value) {
                $line = is_int($name) ? (string) $value : "$name: $value";
                yield $line;
            }
        }
    }
}
