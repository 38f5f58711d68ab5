<?php
// Reads the seals of one file through the service: php client.php FILE [URL]. Needs no extension of PHP.

function read(string $path, string $url): array
{
    $content = @file_get_contents($path);
    if ($content === false) {
        throw new RuntimeException("$path cannot be read");
    }
    $body = [
        'file' => base64_encode($content),
        'fileType' => str_ends_with(strtolower($path), '.pdf') ? 0 : 1,
        'visualize' => false, // no pictures are wanted
    ];
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => 'Content-Type: application/json',
        'content' => json_encode($body, JSON_THROW_ON_ERROR),
        'timeout' => 120,
        'ignore_errors' => true, // the service says in the body why it refused
    ]]);
    $answer = @file_get_contents("$url/seal-recognition", false, $context);
    if ($answer === false) {
        throw new RuntimeException("$url cannot be reached");
    }
    $status = (int) explode(' ', $http_response_header[0])[1];
    if ($status !== 200) {
        throw new RuntimeException("HTTP $status: $answer");
    }
    return json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['result'];
}

if ($argc !== 2 && $argc !== 3) {
    fwrite(STDERR, "usage: php client.php FILE [URL]\n");
    exit(1);
}
try {
    $result = read($argv[1], $argv[2] ?? 'http://localhost:8080');
} catch (RuntimeException | JsonException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
foreach ($result['sealRecResults'] as $page => $item) {
    foreach ($item['prunedResult']['seals'] as $seal) {
        foreach ($seal['lines'] as $line) {
            printf("page %d, seal %d, %.2f: %s\n", $page + 1, $seal['region_id'], $line['score'], $line['text']);
        }
    }
}
