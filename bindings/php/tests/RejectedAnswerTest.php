<?php

declare(strict_types=1);

namespace TPS\Tests;

use GuzzleHttp\Psr7\NoSeekStream;
use GuzzleHttp\Psr7\Response;
use GuzzleHttp\Psr7\Utils;
use PHPUnit\Framework\TestCase;
use TPS\Internal\Rejection;

/**
 * Which answers reject the token.
 */
final class RejectedAnswerTest extends TestCase
{
    private const DRF = ['WWW-Authenticate' => 'Token'];

    /**
     * @dataProvider answers
     *
     * @param array<string, string|list<string>> $headers
     */
    public function testAnswers(bool $rejected, int $status, array $headers, string $body): void
    {
        $answer = new Response($status, $headers, $body);
        self::assertSame($rejected, Rejection::of($answer));
        self::assertSame($body, $answer->getBody()->getContents(), 'the body is the caller\'s');
    }

    /**
     * @return array<string, array{bool, int, array<string, string|list<string>>, string}>
     */
    public static function answers(): array
    {
        $invalid = '{"detail":"Invalid token."}';

        return [
            'invalid' => [true, 401, self::DRF, $invalid],
            'invalid, to a session' => [true, 403, [], $invalid],
            'invalid, without a header' => [true, 401, [], $invalid],
            'with a code' => [true, 401, self::DRF, '{"detail":"Invalid token.","code":"x"}'],
            'translated' => [true, 401, self::DRF, '{"detail":"Ungültiges Token"}'],
            'a page' => [true, 401, self::DRF, '<html>401</html>'],
            'nothing' => [true, 401, self::DRF, ''],
            'a detail that is no text' => [true, 401, self::DRF, '{"detail":["Invalid token."]}'],
            'a list' => [true, 401, self::DRF, '["Invalid token."]'],
            'a number' => [true, 401, self::DRF, '5'],
            'another case' => [true, 401, ['www-authenticate' => 'TOKEN realm="api"'], ''],
            'several schemes' => [true, 401, ['WWW-Authenticate' => 'Basic realm="api", Token'], ''],
            'several headers' => [true, 401, ['WWW-Authenticate' => ['Basic realm="api"', 'Token']], ''],
            'too long to look at' => [true, 401, self::DRF, '{"detail":"' . str_repeat('x', 100_000) . '"}'],

            'no credentials' => [false, 401, self::DRF, '{"detail":"Authentication credentials were not provided."}'],
            'a bad header' => [false, 401, self::DRF, '{"detail":"Invalid token header. No credentials provided."}'],
            'a disabled account' => [false, 401, self::DRF, '{"detail":"User inactive or deleted."}'],
            'another scheme' => [false, 401, ['WWW-Authenticate' => 'Basic realm="Token"'], ''],
            'a scheme that only begins so' => [false, 401, ['WWW-Authenticate' => 'TokenX'], ''],
            'no scheme' => [false, 401, [], '<html>401</html>'],
            'no permission' => [false, 403, self::DRF, '{"detail":"You do not have permission to perform this action."}'],
            'a page that forbids' => [false, 403, self::DRF, '<html>403</html>'],
            'another status' => [false, 400, self::DRF, $invalid],
            'success' => [false, 200, self::DRF, $invalid],
        ];
    }

    /**
     * @dataProvider streams
     */
    public function testABodyThatCannotBeReadTwiceIsNotRead(bool $rejected, string $scheme): void
    {
        $body = new NoSeekStream(Utils::streamFor('{"detail":"Invalid token."}'));
        $answer = new Response(401, ['WWW-Authenticate' => $scheme], $body);

        self::assertSame($rejected, Rejection::of($answer));
        self::assertSame('{"detail":"Invalid token."}', $answer->getBody()->getContents());
    }

    /**
     * @return array<string, array{bool, string}>
     */
    public static function streams(): array
    {
        return ['Token' => [true, 'Token'], 'Basic' => [false, 'Basic']];
    }

    public function testABodyThatWasReadAlready(): void
    {
        $answer = new Response(401, [], '{"detail":"Invalid token."}');
        $answer->getBody()->getContents();

        self::assertTrue(Rejection::of($answer));
    }

    public function testABodyThatIsOnlyWritten(): void
    {
        $file = tempnam(sys_get_temp_dir(), 'tps-test-');
        try {
            $answer = new Response(401, self::DRF, Utils::streamFor(fopen($file, 'w')));
            self::assertTrue(Rejection::of($answer));
        } finally {
            unlink($file);
        }
    }
}
