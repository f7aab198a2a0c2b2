<?php

// As the documentation's PHP sample does it: a login at each run.

declare(strict_types=1);

$curl = curl_init(getenv('TPS_BASE_URL') . '/api/auth/login/');
curl_setopt_array($curl, [
    CURLOPT_POSTFIELDS => json_encode([
        'username' => getenv('TPS_USERNAME'),
        'password' => getenv('TPS_PASSWORD'),
        'organization_id' => getenv('TPS_ORGANIZATION_ID'),
    ]),
    CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
    CURLOPT_RETURNTRANSFER => true,
]);
echo json_decode(curl_exec($curl))->token, "\n";
