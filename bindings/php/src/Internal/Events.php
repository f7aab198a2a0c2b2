<?php

declare(strict_types=1);

namespace TPS\Internal;

use Psr\Log\LoggerInterface;
use TPS\Exception\TpsException;

/**
 * Passes the library's events on to a logger, each of them once.
 *
 * @internal
 *
 * @phpstan-import-type Event from \TPS\Client
 */
final class Events
{
    private const LEVELS = [
        'rejected' => 'warning',
        'hold_off' => 'warning',
        'budget' => 'warning',
        'degraded' => 'warning',
        'false_alarm' => 'notice',
    ];

    /** @var array<int, string> the last event passed on, by Backend::id() */
    private static array $seen = [];

    private function __construct()
    {
    }

    /**
     * Logs what is new. A failure here is not the caller's: the token was found, or the reason is thrown already.
     */
    public static function passOn(Backend $backend, LoggerInterface $logger): void
    {
        try {
            $events = $backend->stats()['events'];
            $id = $backend->id();
        } catch (TpsException) {
            return;
        }
        $seen = self::$seen[$id] ?? self::start();
        foreach ($events as $event) {
            $key = self::key($event);
            if ($key > $seen) {
                $seen = self::$seen[$id] = $key;
                $logger->log(self::LEVELS[$event['kind']] ?? 'info', self::message($event), ['tps' => $event]);
            }
        }
    }

    /** What happened before this page or program began was there for others to log: the library outlives a page. */
    private static function start(): string
    {
        $start = (float) ($_SERVER['REQUEST_TIME_FLOAT'] ?? microtime(true));

        return gmdate('Y-m-d\TH:i:s', (int) $start) . sprintf('.%06d000', (int) (fmod($start, 1) * 1e6));
    }

    /**
     * In the order of time as text, and then of number. The library leaves zeros at the end of a fraction out.
     *
     * @param Event $event
     */
    private static function key(array $event): string
    {
        [$seconds, $fraction] = explode('.', rtrim($event['time'], 'Z')) + [1 => ''];

        return sprintf('%s.%s %020d', $seconds, str_pad($fraction, 9, '0'), $event['number']);
    }

    /**
     * @param Event $event
     */
    private static function message(array $event): string
    {
        $message = "TPStreams token: {$event['kind']}";
        if ($event['reason'] !== null) {
            $message .= " ({$event['reason']})";
        }
        if ($event['duration'] !== null) {
            $message .= " in {$event['duration']} ms";
        }

        return $event['message'] === null ? $message : "$message: {$event['message']}";
    }
}
