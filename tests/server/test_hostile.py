"""Requests of people who mean harm: each is refused with a 4xx within its time, and nothing of it stays behind.

Limits of the service are small, so that each can be reached: see `HOSTILE`.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bombs
import httpx
import numpy as np
import pytest
from conftest import running
from numpy.typing import NDArray
from server_files import encoded
from tiny_networks import tiny_config

from sealread.server.processes import resident

#: Seconds within which each request must be answered: that of its page, twice over where a page is tried again, and some more.
TIME_LIMIT = 40.0
HOSTILE = {"page_seconds": 5, "parser_memory_mb": 600, "allow_urls": True, "url_seconds": 3, "max_queue": 8, "worker_memory_mb": 1200}


@pytest.fixture(scope="module")
def fortress(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A service that fetches addresses; its memory, processes and folder are looked at in the end."""
    with running(tiny_config(tiny_root), jobs_folder=str(tmp_path_factory.mktemp("jobs")), **HOSTILE) as service:
        service.post(file=GOOD, fileType=1)
        before = resident(os.getpid())
        yield service
        assert service.post(file=GOOD, fileType=1).status_code == 200
        assert list(service.application.service.spool.folder.iterdir()) == []
        assert (service.application.room.requests, service.application.room.bytes) == (0, 0)
        assert resident(os.getpid()) - before < 100_000_000
        for worker in (*service.application.service.openers.workers, *service.application.service.readers.workers):
            assert resident(worker.pid) < 600_000_000


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def blank(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 255, np.uint8)


GOOD = encoded(blank(64, 64))
BIG = 10**9

BODIES: dict[str, bytes] = {
    "empty": b"",
    "an open brace": b"{",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"file"',
    "a number": b"17",
    "cut off": b'{"file": "aaaa", "fileTy',
    "no UTF-8": b'{"file": "\xff\xfe\x80"}',
    "UTF-16": '{"file": "aaaa"}'.encode("utf-16"),
    "deep lists": b'{"file": ' + b"[" * 9000,
    "very deep lists": b"[" * 1_000_000,
    "deep objects": b'{"a":' * 2000,
    "numberless members": b'{"file": "aaaa", "fileType": 1, "x": [' + b"1," * 1_000_000 + b"1]}",
    "numberless objects": b"[" + b"{}," * 500_000 + b"{}]",
    "a lone surrogate": b'{"file": "\\ud800aaa", "fileType": 1}',
    "NUL": b'{"file": "\\u0000\\u0000\\u0000\\u0000", "fileType": 1}',
    "NaN": b'{"file": "aaaa", "fileType": 1, "sealDetThresh": NaN}',
    "infinity": b'{"file": "aaaa", "fileType": 1, "sealDetThresh": 1e999}',
    "an endless number": b'{"file": "aaaa", "fileType": 1, "sealDetLimitSideLen": ' + b"9" * 100_000 + b"}",
    "a form": b"file=aaaa&fileType=1",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "pickle": b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
}

MEMBERS: dict[str, dict[str, Any]] = {
    "file is a list": {"file": ["aaaa"]},
    "file is an object": {"file": {"$ref": "/etc/passwd"}},
    "file is a number": {"file": BIG},
    "file is true": {"file": True},
    "file is null": {"file": None},
    "a path": {"file": "/etc/passwd"},
    "a path upwards": {"file": "../../../../etc/passwd"},
    "fileType is large": {"file": GOOD, "fileType": 10**30},
    "fileType is negative": {"file": GOOD, "fileType": -1},
    "a negative side": {"file": GOOD, "sealDetLimitSideLen": -5},
    "half a side": {"file": GOOD, "sealDetLimitSideLen": 0.5},
    "a negative threshold": {"file": GOOD, "layoutThreshold": -1},
    "a threshold too deep": {"file": GOOD, "layoutThreshold": {"16": {"16": {"16": 0.5}}}},
    "an expression": {"file": GOOD, "layoutUnclipRatio": "__import__('os').system('true')"},
    "a power": {"file": GOOD, "layoutThreshold": "[9**9**9]"},
    "open brackets": {"file": GOOD, "layoutThreshold": "(" * 1900},
    "a long literal": {"file": GOOD, "layoutThreshold": "[" + "1," * 100_000 + "]"},
    "a switch of words": {"file": GOOD, "useDocUnwarping": "on" * 10_000},
    "a mode of another kind": {"file": GOOD, "layoutMergeBboxesMode": {"seal": "all"}},
    "Base64 with spaces": {"file": " " + GOOD},
    "Base64 with line breaks": {"file": "\n".join(GOOD[i : i + 76] for i in range(0, len(GOOD), 76))},
    "Base64 for addresses": {"file": "-_" + GOOD[2:]},
    "Base64 without its padding": {"file": "QUJDRA"},
    "Base64 with padding within": {"file": "QQ==QUJD"},
    "only padding": {"file": "===="},
    "too much padding": {"file": "QUJD===="},
    "a data address": {"file": f"data:image/png;base64,{GOOD}"},
    "full-width letters": {"file": "ＱＵＪＤ"},
    "a comment within": {"file": GOOD[:40] + "#!" + GOOD[42:]},
}

FILES: dict[str, tuple[int, bytes]] = {
    "noise": (1, bytes(range(256)) * 100),
    "HTML": (1, b"<html><script>alert(1)</script></html>"),
    "SVG": (1, b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    "ZIP": (1, b"PK\x03\x04" + bytes(100)),
    "HEIC": (1, b"\0\0\0\x18ftypheic" + bytes(100)),
    "PNG of 4 gigapixels": (1, bombs.png(65535, 65535)),
    "PNG of 2^62 pixels": (1, bombs.png(2**31 - 1, 2**31 - 1)),
    "PNG without width": (1, bombs.png(0, 100)),
    "PNG with a bomb": (1, bombs.png(30_000, 30_000, pixels=bombs.squeezed(900))),
    "PNG with a text bomb": (1, bombs.png(64, 64, (b"zTXt", b"a\0\0" + bombs.squeezed(200)))),
    "PNG with a profile bomb": (1, bombs.png(64, 64, (b"iCCP", b"a\0\0" + bombs.squeezed(200)))),
    "PNG cut off": (1, bombs.png(1000, 1000, pixels=b"x\x9c")[:60]),
    "GIF of 4 gigapixels": (1, bombs.gif(65535, 65535)),
    "GIF without data": (1, bombs.gif(64, 64)),
    "TIFF of 4 gigapixels": (
        1,
        bombs.tiff((256, 4, 65535), (257, 4, 65535), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, BIG)),
    ),
    "TIFF of 2^60 pixels": (
        1,
        bombs.tiff((256, 4, 2**30), (257, 4, 2**30), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, BIG)),
    ),
    "TIFF that is its own successor": (1, bombs.endless_tiff()),
    "TIFF without directory": (1, b"II*\0" + b"\xff" * 4),
    "BMP of 4 gigapixels": (1, bombs.bmp(65535, 65535)),
    "BMP of negative size": (1, bombs.bmp(-100, -100)),
    "BMP without pixels": (1, bombs.bmp(1000, 1000)),
    "JPEG of 4 gigapixels": (1, bombs.jpeg(65535, 65535)),
    "JPEG without pixels": (1, bombs.jpeg(100, 100)),
    "WebP of 268 megapixels": (1, bombs.webp(16384, 16384)),
    "PPM of 10^18 pixels": (1, b"P6 999999999 999999999 255\n"),
    "PPM with an endless number": (1, b"P6 " + b"9" * 100_000 + b" 1 255\n"),
    "Sun raster of 4 gigapixels": (1, b"\x59\xa6\x6a\x95" + b"\0\0\xff\xff" * 2 + b"\0\0\0\x18\0\0\0\0\0\0\0\1" + bytes(8)),
    "PDF called an image": (1, bombs.one_page(b"")),
    "image called a PDF": (0, base64.b64decode(GOOD)),
    "PDF head alone": (0, b"%PDF-1.7\n"),
    "PDF without pages": (0, bombs.pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")),
    "PDF of a million pages that are not there": (0, bombs.pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 1000000>>")),
    "PDF whose pages hold each other": (
        0,
        bombs.pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Parent 2 0 R/Count 9>>"),
    ),
    "PDF with deep lists": (0, bombs.pdf(b"<</Type/Catalog/Pages " + b"[" * 100_000 + b"]" * 100_000 + b">>")),
    "PDF that refers to itself": (0, bombs.pdf(b"1 0 R")),
    "PDF with a length that refers to itself": (0, bombs.pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Length 2 0 R>>stream\nendstream")),
    "PDF that never ends": (0, bombs.endless_pdf()),
    "PDF with a cipher": (
        0,
        bombs.pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[]/Count 1>>",
            b"<</Filter/Standard/V 9/R 9/O(a)/U(b)/P -1>>",
            trailer="/Encrypt 3 0 R",
        ),
    ),
}

ADDRESSES = (
    "http://127.0.0.1/a.png",
    "http://localhost/a.png",
    "http://localhost.localdomain/a.png",
    "http://127.1/a.png",
    "http://127.0.1/a.png",
    "http://2130706433/a.png",
    "http://0x7f000001/a.png",
    "http://0x7f.0x0.0x0.0x1/a.png",
    "http://0177.0.0.1/a.png",
    "http://017700000001/a.png",
    "http://127.0.0.1.:80/a.png",
    "http://0.0.0.0/a.png",
    "http://0/a.png",
    "http://[::1]/a.png",
    "http://[::]/a.png",
    "http://[::ffff:127.0.0.1]/a.png",
    "http://[::ffff:7f00:1]/a.png",
    "http://[::ffff:169.254.169.254]/a.png",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/a.png",
    "http://[::127.0.0.1]/a.png",
    "http://[64:ff9b::7f00:1]/a.png",
    "http://[2002:7f00:1::]/a.png",
    "http://[fe80::1]/a.png",
    "http://[fe80::1%25eth0]/a.png",
    "http://[fc00::1]/a.png",
    "http://[ff02::1]/a.png",
    "http://169.254.169.254/latest/meta-data/a.png",
    "http://10.0.0.1/a.png",
    "http://172.16.0.1/a.png",
    "http://192.168.0.1/a.png",
    "http://100.64.0.1/a.png",
    "http://224.0.0.1/a.png",
    "http://255.255.255.255/a.png",
    "http://8.8.8.8:22/a.png",
    "http://user:secret@127.0.0.1/a.png",
    "http://8.8.8.8@127.0.0.1/a.png",
    "http://8.8.8.8\\@127.0.0.1/a.png",
    "http://127.0.0.1#@8.8.8.8/a.png",
    "http://127.0.0.1 /a.png",
    "http://127.0.0.1/a.png\r\nX-Evil: 1",
    "http://１２７.０.０.１/a.png",
    "http://①②⑦.⓪.⓪.①/a.png",
    "http:///a.png",
    "http://[/a.png",
    "http://8.8.8.8:99999/a.png",
    "http://8.8.8.8:a/a.png",
    "https://127.0.0.1/a.png",
    "HTTP://127.0.0.1/a.png",
    "file:///etc/passwd",
    "ftp://127.0.0.1/a.png",
    "gopher://127.0.0.1/a.png",
    "//127.0.0.1/a.png",
)


def refused(service: Any, answer: httpx.Response) -> None:
    """A 4xx in the form of all answers, and a service that lives."""
    assert 400 <= answer.status_code < 500
    told = answer.json()
    assert told["errorCode"] == answer.status_code
    assert set(told) == {"logId", "errorCode", "errorMsg"}
    for secret in (str(service.application.service.spool.folder), "Traceback", "site-packages", "sealread/", "uvicorn", "root:"):
        assert secret not in answer.text
    assert service.client.get("/health").json()["errorMsg"] == "Healthy"


@pytest.mark.parametrize("name", BODIES)
def test_bodies(fortress: Any, name: str) -> None:
    refused(fortress, fortress.client.post("/seal-recognition", content=BODIES[name], timeout=TIME_LIMIT))


@pytest.mark.parametrize("name", MEMBERS)
def test_members(fortress: Any, name: str) -> None:
    refused(fortress, fortress.client.post("/seal-recognition", json={"fileType": 1, **MEMBERS[name]}, timeout=TIME_LIMIT))


@pytest.mark.parametrize("name", FILES)
def test_files(fortress: Any, name: str) -> None:
    kind, content = FILES[name]
    body = {"file": b64(content), "fileType": kind}
    refused(fortress, fortress.client.post("/seal-recognition", json=body, timeout=TIME_LIMIT))


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses(fortress: Any, address: str) -> None:
    refused(fortress, fortress.client.post("/seal-recognition", json={"file": address, "fileType": 1}, timeout=TIME_LIMIT))


@pytest.mark.parametrize(
    "extreme",
    [
        {"layoutUnclipRatio": 1e308},
        {"layoutUnclipRatio": 5e-324},
        {"sealDetUnclipRatio": 1e300},
        {"sealDetLimitSideLen": 10**15},
        {"fileType": 0, "file": b64(bombs.huge_image_pdf(100_000))},
        {"fileType": 0, "file": b64(bombs.one_page(b"", box=b"0 0 0 0"))},
        {"fileType": 0, "file": b64(bombs.pdf(b"<</Type/Catalog/Pages " + b"<</A" * 100_000 + b">>" * 100_000 + b">>"))},
    ],
    ids=lambda extreme: str(extreme)[:40],
)
def test_extreme_values(fortress: Any, extreme: dict[str, Any]) -> None:
    """What is allowed is answered, or refused for what it takes."""
    answer = fortress.client.post("/seal-recognition", json={"file": GOOD, "fileType": 1, **extreme}, timeout=TIME_LIMIT)
    assert answer.status_code in (200, 422)
    assert fortress.client.get("/health").status_code == 200


# ---------------------------------------------------------------- below and beside the body


def raw(service: Any, sent: bytes, then: bytes = b"") -> bytes:
    """What comes back when these bytes are sent, and the other end closes; nothing where it closed while more was on its way."""
    got = b""
    with socket.create_connection(("127.0.0.1", service.port), TIME_LIMIT) as line, suppress(ConnectionError):
        line.sendall(sent)
        if then:
            line.sendall(then)
        while piece := line.recv(65536):
            got += piece
    return got


def head(service: Any, *lines: str, path: str = "/seal-recognition", method: str = "POST") -> bytes:
    named = [] if any(line.lower().startswith("host:") for line in lines) else [f"Host: 127.0.0.1:{service.port}"]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *named, *lines, "", ""]).encode("latin-1")


def status(answer: bytes) -> int:
    """Of an answer; 0 where there is none."""
    assert answer[:9] in (b"HTTP/1.1 ", b"")
    return int(answer[9:12]) if answer else 0


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Content-Length: 99999999"], {413}),
        (["Content-Length: 99999999999999999999999"], {400, 413}),
        (["Content-Length: -1"], {400}),
        (["Content-Length: many"], {400}),
        (["Content-Length: 5", "Content-Length: 6"], {400}),
        (["Transfer-Encoding: gzip"], {400, 501}),
        (["Content-Length: 2", "Connection: close", "Host: evil.example"], {421}),
        (["Content-Length: 2", "Connection: close", "Origin: https://evil.example"], {403}),
        (["Content-Length: 2", "Connection: close", "Origin: null"], {403}),
        (["X-Long: " + "a" * 100_000], {0, 400, 431}),
        ([f"X-{number}: a" for number in range(5000)], {0, 400, 431}),
        (["Bad Header"], {400}),
        (["Content-Length: 2", "Host: a", "Host: b"], {400}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_headers(fortress: Any, lines: list[str], expected: set[int]) -> None:
    assert status(raw(fortress, head(fortress, *lines), b"{}")) in expected
    assert fortress.client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/page/../../../../etc/passwd"),
        ("GET", "/page/..%2f..%2f..%2f..%2fetc%2fpasswd"),
        ("GET", "/page/%2e%2e/%2e%2e/app.py"),
        ("GET", "/page/..%5c..%5capp.py"),
        ("GET", "/page//etc/passwd"),
        ("GET", "/page/%00"),
        ("GET", "/page/" + "a/" * 3000),
        ("GET", "/jobs/../../etc/passwd"),
        ("GET", "/jobs/%27%20or%201=1--"),
        ("DELETE", "/jobs/%25"),
        ("GET", "//evil.example/%2e%2e"),
        ("GET", "/" + "a" * 8000),
        ("PUT", "/seal-recognition"),
        ("TRACE", "/"),
        ("OPTIONS", "*"),
        ("BREW", "/coffee"),
    ],
)
def test_paths_and_methods(fortress: Any, method: str, path: str) -> None:
    answer = raw(fortress, head(fortress, "Connection: close", path=path, method=method))
    assert 400 <= status(answer) < 500
    assert b"root:" not in answer and b"import" not in answer
    assert fortress.client.get("/health").status_code == 200


@pytest.mark.parametrize("sent", [b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HELO there\r\n\r\n"])
def test_what_is_no_http(fortress: Any, sent: bytes) -> None:
    assert status(raw(fortress, sent)) in (400, 408, 421, 505)
    assert fortress.client.get("/health").status_code == 200


def test_headers_that_do_not_come(fortress: Any) -> None:
    assert status(raw(fortress, b"POST /seal-recognition HTTP/1.1\r\nHost: ")) == 408


def test_nothing_comes(fortress: Any) -> None:
    assert status(raw(fortress, b"")) == 408


def test_a_body_that_does_not_come(fortress: Any) -> None:
    answer = raw(fortress, head(fortress, "Content-Length: 1000"), b'{"file": "')
    assert status(answer) == 408
    assert fortress.client.get("/health").status_code == 200


def test_a_body_in_pieces_that_is_too_large(fortress: Any) -> None:
    piece = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", fortress.port), TIME_LIMIT) as line:
        line.sendall(head(fortress, "Transfer-Encoding: chunked"))
        try:
            for _ in range(1000):
                line.sendall(piece)
        except OSError:
            return  # the service closed while more was on its way
        assert status(line.recv(65536)) == 413


def test_hanging_up_early(fortress: Any) -> None:
    """Uploads that break off, and clients that do not wait, leave nothing behind: the fixture sees to that."""
    body = json.dumps({"file": GOOD, "fileType": 1}).encode()
    for sent in (len(body) // 2, len(body)):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", fortress.port), TIME_LIMIT) as line:
                line.sendall(head(fortress, f"Content-Length: {len(body)}") + body[:sent])
    # On a busy machine some of them still wait for their turn, and the queue is short.
    latest = time.monotonic() + TIME_LIMIT
    while (answer := fortress.post(file=GOOD, fileType=1)).status_code == 429 and time.monotonic() < latest:
        time.sleep(0.2)
    assert answer.status_code == 200


def test_there_are_at_least_sixty() -> None:
    assert len(BODIES) + len(MEMBERS) + len(FILES) + len(ADDRESSES) >= 60
