<?php

declare(strict_types=1);

namespace TPS\Symfony;

use Symfony\Component\HttpClient\Chunk\ErrorChunk;
use Symfony\Component\HttpClient\Exception\TransportException;
use Symfony\Component\HttpClient\Response\AsyncResponse;
use Symfony\Component\HttpClient\Response\StreamableInterface;
use Symfony\Contracts\HttpClient\ChunkInterface;
use Symfony\Contracts\HttpClient\Exception\TransportExceptionInterface;
use Symfony\Contracts\HttpClient\ResponseInterface;
use TPS\Client;
use TPS\Exception\TpsException;
use TPS\Internal\Deferred;
use TPS\Internal\Waiting;

/**
 * The response to a request that waits for a login: it is sent as soon as there is a token and somebody looks at it. Meanwhile
 * other transfers go on.
 *
 * @internal
 */
final class DeferredResponse implements ResponseInterface, StreamableInterface, Deferred
{
    /** Seconds for which a stream waits for the login, or for the requests that are sent already, before it looks at the others. */
    private const SLICE = 0.05;

    private ?AsyncResponse $response = null;

    private ?TransportExceptionInterface $failure = null;

    /**
     * @param \Closure(): AsyncResponse $send waits for the token and sends the request
     * @param array<string, mixed>      $info as of a response that has not begun
     */
    public function __construct(
        private readonly Client $client,
        private readonly \Closure $send,
        private array $info,
    ) {
        $this->info += ['canceled' => false, 'error' => null, 'http_code' => 0, 'redirect_count' => 0, 'redirect_url' => null,
            'response_headers' => [], 'start_time' => microtime(true), 'user_data' => null];
        Waiting::add($client, $this);
    }

    /** A request whose answer nobody wants is sent all the same, as Symfony does it. */
    public function __destruct()
    {
        if ($this->isWaiting()) {
            $this->sent();
        }
    }

    public function getStatusCode(): int
    {
        return $this->sent()->getStatusCode();
    }

    public function getHeaders(bool $throw = true): array
    {
        return $this->sent()->getHeaders($throw);
    }

    public function getContent(bool $throw = true): string
    {
        return $this->sent()->getContent($throw);
    }

    public function toArray(bool $throw = true): array
    {
        return $this->sent()->toArray($throw);
    }

    /** @return resource */
    public function toStream(bool $throw = true)
    {
        return $this->sent()->toStream($throw);
    }

    public function getInfo(?string $type = null): mixed
    {
        if ($this->response !== null) {
            return $this->response->getInfo($type);
        }

        return $type === null ? $this->info : $this->info[$type] ?? null;
    }

    public function cancel(): void
    {
        $this->response?->cancel();
        $this->info = ['canceled' => true, 'error' => 'Response has been canceled.'] + $this->info;
    }

    public function begin(): void
    {
        if (!$this->isWaiting()) {
            return;
        }
        try {
            $this->response = ($this->send)();
        } catch (TransportExceptionInterface $failure) {
            $this->failure = $failure;
            $this->info['error'] = $failure->getMessage();
        }
    }

    /**
     * What the responses of one client give, those that wait and those that are sent.
     *
     * @param iterable<ResponseInterface> $responses
     * @param \Closure(list<ResponseInterface>, ?float): iterable<ResponseInterface, ChunkInterface> $stream of those that are sent
     *
     * @return \Generator<ResponseInterface, ChunkInterface>
     */
    public static function stream(iterable $responses, ?float $timeout, \Closure $stream): \Generator
    {
        $waiting = [];
        // By the response that Symfony knows: the one that the caller knows.
        $sent = new \SplObjectStorage();
        foreach ($responses as $response) {
            if ($response instanceof self && $response->response === null) {
                $waiting[] = $response;
            } else {
                $sent[$response instanceof self ? $response->response : $response] = $response;
            }
        }
        // Symfony has a meaning of its own for less than nothing: no limit but that of the request.
        $limit = $timeout === null || str_starts_with((string) $timeout, '-') ? \INF : $timeout;
        $quiet = microtime(true);
        while ($waiting !== []) {
            $slice = max(0.0, min(self::SLICE, $limit - (microtime(true) - $quiet)));
            foreach ($waiting as $key => $response) {
                if (!$response->isDecided($sent->count() === 0 ? $slice : 0.0)) {
                    continue;
                }
                unset($waiting[$key]);
                try {
                    $sent[$response->sent()] = $response;
                } catch (TransportExceptionInterface $failure) {
                    yield from self::failed($response, $failure);
                }
                $quiet = microtime(true);
            }
            if ($waiting === []) {
                break;
            }
            foreach (self::slice($sent, $slice, $stream) as $response => $chunk) {
                yield $response => $chunk;
                $quiet = microtime(true);
            }
            if (microtime(true) - $quiet >= $limit) {
                foreach ([...$waiting, ...self::values($sent)] as $response) {
                    yield from self::failed($response, sprintf('Idle timeout reached for "%s".', $response->getInfo('url')));
                }

                return;
            }
        }
        foreach ($stream(iterator_to_array($sent, false), $timeout) as $response => $chunk) {
            yield $sent[$response] => $chunk;
        }
    }

    /**
     * What the sent ones give for so long. Those that end are taken out.
     *
     * @return \Generator<ResponseInterface, ChunkInterface>
     */
    private static function slice(\SplObjectStorage $sent, float $seconds, \Closure $stream): \Generator
    {
        $end = microtime(true) + $seconds;
        foreach (self::values($sent) as $response) {
            if ($response->getInfo('canceled')) {
                $sent->detach($response instanceof self ? $response->response : $response);
            }
        }
        if ($sent->count() === 0) {
            return;
        }
        foreach ($stream(iterator_to_array($sent, false), $seconds) as $response => $chunk) {
            if (!self::isTimeout($chunk)) {
                $known = $sent[$response];
                if ($chunk->getError() !== null || $chunk->isLast()) {
                    $sent->detach($response);
                }
                yield $known => $chunk;
            }
            if (microtime(true) >= $end) {
                return;
            }
        }
    }

    /** Without taking the error of a chunk for seen. */
    private static function isTimeout(ChunkInterface $chunk): bool
    {
        try {
            return $chunk->isTimeout();
        } catch (TransportExceptionInterface) {
            if ($chunk instanceof ErrorChunk) {
                $chunk->didThrow(false);
            }

            return false;
        }
    }

    /** @return \Generator<ResponseInterface, ChunkInterface> a chunk that throws, here if the caller does not look at it */
    private static function failed(ResponseInterface $response, TransportExceptionInterface|string $failure): \Generator
    {
        $chunk = new ErrorChunk(0, $failure);
        yield $response => $chunk;
        if (!$chunk->didThrow()) {
            $chunk->getContent();
        }
    }

    /** @return list<ResponseInterface> */
    private static function values(\SplObjectStorage $sent): array
    {
        return array_map(static fn (ResponseInterface $key): ResponseInterface => $sent[$key], iterator_to_array($sent, false));
    }

    /** Whether there is a token, or a reason why there is none. */
    private function isDecided(float $seconds): bool
    {
        try {
            return !$this->isWaiting() || $this->client->ready((int) ($seconds * 1000));
        } catch (TpsException) {
            return true;
        }
    }

    private function isWaiting(): bool
    {
        return $this->response === null && $this->failure === null && !$this->info['canceled'];
    }

    private function sent(): AsyncResponse
    {
        if ($this->isWaiting()) {
            $this->begin();
            if ($this->failure === null) {
                Waiting::sendAll($this->client);
            }
        }

        return $this->response ?? throw $this->failure ?? new TransportException($this->info['error']);
    }
}
