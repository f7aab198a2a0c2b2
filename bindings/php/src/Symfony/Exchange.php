<?php

declare(strict_types=1);

namespace TPS\Symfony;

use Symfony\Component\HttpClient\Response\AsyncContext;
use Symfony\Contracts\HttpClient\ChunkInterface;
use TPS\Exception\TpsException;
use TPS\Internal\Origin;
use TPS\Internal\Rejection;
use TPS\Internal\Secret;
use TPS\TokenSource;

/**
 * One request of AuthorizedHttpClient: what follows its answers.
 *
 * It follows redirects itself: Symfony would take the header along to another port or scheme of the same host.
 *
 * @internal
 */
final class Exchange
{
    /** No answer that matters here is longer. */
    private const BYTES = 65_536;

    private const REDIRECTS = [301, 302, 303, 307, 308];

    private bool $repeated = false;

    /** Of the answer that may be a rejection: kept back until that is known. */
    private ?ChunkInterface $first = null;

    private string $body = '';

    /** The token that was sent. */
    private ?Secret $token = null;

    /**
     * @param array<string, mixed> $options of the request; headers as lines
     */
    public function __construct(
        private readonly TokenSource $source,
        private readonly Origin $origin,
        private string $method,
        private array $options,
        private int $redirects,
    ) {
        $this->options['max_redirects'] = 0;
    }

    /**
     * @return array<string, mixed> the options of the next request, with the header where it is due
     *
     * @throws TpsException as TokenSource::token()
     */
    public function optionsFor(string $url): array
    {
        $options = $this->options;
        if ($this->origin->holds($url)) {
            $token = $this->source->token();
            $this->token = new Secret($token);
            $options['headers'] = [...$this->headersWithout('authorization'), "Authorization: Token $token"];
        }

        return $options;
    }

    /**
     * Takes the chunks of an answer, and gives on those that are the caller's.
     *
     * @return \Generator<ChunkInterface>
     */
    public function answer(ChunkInterface $chunk, AsyncContext $context): \Generator
    {
        // A chunk that is an error throws here, as it does without this client.
        if ($chunk->isTimeout() || $chunk->getInformationalStatus() !== null || $context->getInfo('canceled') === true) {
            yield $chunk;

            return;
        }
        $status = $context->getStatusCode();
        if ($chunk->isFirst()) {
            $url = (string) $context->getInfo('url');
            $target = $this->redirects > 0 ? self::redirectedTo($url, $status, $context) : null;
            if ($target !== null) {
                $this->follow($url, $target, $status, $context);

                return;
            }
            if (($status !== 401 && $status !== 403) || $this->repeated || !$this->origin->holds($url)) {
                $context->passthru();
                yield $chunk;

                return;
            }
            $this->first = $chunk;
        }
        $this->body .= $chunk->getContent();
        if (!$chunk->isLast() && strlen($this->body) < self::BYTES) {
            return;
        }
        if ($this->isToRepeat($status, $context)) {
            $this->repeated = true;
            [$this->first, $this->body] = [null, ''];
            $this->replace((string) $context->getInfo('url'), $context);

            return;
        }
        $context->passthru();
        yield from $this->keptBack($chunk, $context);
    }

    /** Reports the token if the answer rejects it, and says whether the request can be sent once more. */
    private function isToRepeat(int $status, AsyncContext $context): bool
    {
        $scheme = implode(', ', $context->getHeaders()['www-authenticate'] ?? []);
        if ($this->token === null || !Rejection::inAnswer($status, $scheme, $this->body)) {
            return false;
        }
        $token = $this->token->reveal();
        try {
            $this->source->invalidate($token);
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
        $body = $this->options['body'] ?? '';

        return is_string($body) || is_array($body);
    }

    private function follow(string $from, string $to, int $status, AsyncContext $context): void
    {
        $this->redirects--;
        $becomesGet = $status === 303 ? $this->method !== 'HEAD' : $status < 303 && $this->method === 'POST';
        if ($becomesGet) {
            $this->method = 'GET';
            unset($this->options['body'], $this->options['json']);
            $this->options['headers'] = $this->headersWithout('content-length|content-type|transfer-encoding');
        }
        if (Origin::of($from) !== Origin::of($to)) {
            unset($this->options['auth_basic'], $this->options['auth_bearer']);
            $this->options['headers'] = $this->headersWithout('authorization|cookie|host');
        }
        $this->replace($to, $context);
        $context->setInfo('redirect_count', ($context->getInfo('redirect_count') ?? 0) + 1);
    }

    private function replace(string $url, AsyncContext $context): void
    {
        // They are part of the URL by now.
        unset($this->options['query'], $this->options['base_uri']);
        try {
            $options = $this->optionsFor($url);
        } catch (TpsException $exception) {
            throw TokenUnavailableException::because($exception);
        }
        $context->getResponse()->cancel();
        $context->replaceRequest($this->method, $url, $options);
    }

    /** @return \Generator<ChunkInterface> */
    private function keptBack(ChunkInterface $present, AsyncContext $context): \Generator
    {
        if ($this->first !== null) {
            yield $this->first;
        }
        if ($this->body !== '') {
            yield $context->createChunk($this->body);
        }
        [$this->first, $this->body] = [null, ''];
        if ($present->isLast()) {
            yield $present;
        }
    }

    private static function redirectedTo(string $from, int $status, AsyncContext $context): ?string
    {
        $location = $context->getHeaders()['location'][0] ?? '';
        if ($location === '' || !in_array($status, self::REDIRECTS, true)) {
            return null;
        }
        if (parse_url($location, PHP_URL_SCHEME) !== null) {
            return $location;
        }
        $base = parse_url($from) + ['scheme' => '', 'host' => '', 'path' => '/'];
        if (str_starts_with($location, '//')) {
            return "{$base['scheme']}:$location";
        }
        $origin = "{$base['scheme']}://{$base['host']}" . (isset($base['port']) ? ":{$base['port']}" : '');

        return match ($location[0]) {
            '/' => $origin . $location,
            '?' => $origin . $base['path'] . $location,
            default => $origin . preg_replace('~[^/]*$~', '', $base['path']) . $location,
        };
    }

    /**
     * @param string $names in lower case, with | between
     *
     * @return list<string>
     */
    private function headersWithout(string $names): array
    {
        return array_values(preg_grep("/^(?:$names)\s*:/i", $this->options['headers'], PREG_GREP_INVERT) ?: []);
    }
}
