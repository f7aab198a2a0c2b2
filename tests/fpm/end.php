<?php

declare(strict_types=1);

require __DIR__ . '/../package/autoload.php';

// Many, so that what a page leaves behind adds up to something that can be seen.
for ($i = 0; $i < 200; $i++) {
    $clients[] = TPS\Client::fromEnvironment();
}
if ($_GET['how'] === 'fatal') {
    trigger_error('this page ends here', E_USER_ERROR);
}
exit();
