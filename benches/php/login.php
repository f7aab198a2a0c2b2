<?php

// login.php: first logins over TLS by the library, beside PHP's curl with the same request. One JSON object.

declare(strict_types=1);

require __DIR__ . '/../../bindings/php/autoload.php';

const ROUNDS = 31;

[$server, $authority, $bundle] = [getenv('BENCH_TLS'), getenv('BENCH_CA'), getenv('BENCH_BUNDLE')];
$direct = getenv('TPS_BASE_URL');

/** @return array<string, string> another organization's credentials */
$organization = static function () use ($direct): array {
    $options = ['http' => ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => '{}']];
    $url = "$direct/_test/organizations/";
    $made = json_decode(file_get_contents($url, false, stream_context_create($options)), associative: true);

    return array_intersect_key($made, ['username' => 0, 'password' => 0, 'organization_id' => 0]);
};
$library = static function (array $login) use ($server, $authority): string {
    $options = ['base_url' => $server, 'ca_file' => $authority, 'cache' => 'memory'];

    return TPS\Client::login($login['username'], $login['password'], $login['organization_id'], $options)->token();
};
$curl = static function (array $login) use ($server, $bundle): string {
    $curl = curl_init("$server/api/auth/login/");
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => json_encode($login),
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Accept: application/json'],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CAINFO => $bundle,
    ]);

    return json_decode(curl_exec($curl))->token;
};
$time = static function (Closure $login) use ($organization): float {
    $credentials = $organization();
    $start = hrtime(true);
    strlen($login($credentials)) === 64 || throw new RuntimeException('no token');

    return (hrtime(true) - $start) / 1e6;
};

$samples = ['ours' => [], 'other' => []];
$time($library);
$time($curl);
for ($round = 0; $round < ROUNDS; $round++) {
    $samples['ours'][] = $time($library);
    $samples['other'][] = $time($curl);
}
echo json_encode(['row' => 'PHP login', 'unit' => 'ms', 'against' => "PHP's curl"] + $samples), "\n";
