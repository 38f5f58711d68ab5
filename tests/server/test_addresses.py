"""What may be fetched for strangers: public addresses only, at every step."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sealread.errors import InputError
from sealread.server.addresses import fetch_public, is_public

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "2002:808:808::1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    """0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.31.0.1 192.0.0.1 192.0.2.1 192.168.1.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::ffff:8.8.8.8
    64:ff9b::808:808 fe80::1 fe80::1%eth0
    fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 64:ff9b::7f00:1 64:ff9b:1::a00:1 2001:0:7f00:1::
    not.an.address""".split(),
)
def test_addresses_that_are_not(address: str) -> None:
    assert not is_public(address)


class Answering:
    """A server of this machine that stands for one of the internet: connections to `PUBLIC` come here.

    Attributes:
        asked: the paths that were asked for, with the host named.
        lookups: names that were looked up.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str]] = []
        self.lookups: list[str] = []
        self.names: dict[str, list[list[str]]] = {"example.org": [[PUBLIC]]}
        self.redirect = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((str(self.headers["Host"]), self.path))
                if self.path == "/redirect":
                    self.send_response(302)
                    self.send_header("Location", outer.redirect)
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"content" if self.path != "/large" else bytes(2000))

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.connected: list[str] = []
        connect = socket.create_connection

        def routed(address: tuple[str, int], *rest: Any) -> socket.socket:
            self.connected.append(address[0])
            return connect(("127.0.0.1" if address[0] == PUBLIC else address[0], address[1]), *rest)

        patch.setattr(socket, "create_connection", routed)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def lookup(self, host: str, port: int) -> list[str]:
        """Each name has its answers in turn; the last one stays. What is an address already is its own."""
        self.lookups.append(host)
        answers = self.names.get(host, [[host]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def get(self, url: str) -> bytes:
        """What is fetched."""
        return fetch_public(url, timeout=5, max_bytes=1000, ports=(self.port,), lookup=self.lookup)


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    one = Answering(monkeypatch)
    yield one
    one.server.shutdown()
    one.server.server_close()


def test_a_public_name_is_fetched_from_the_address_that_was_checked(internet: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert internet.get(f"http://example.org:{internet.port}/a.png") == b"content"
    assert internet.connected == [PUBLIC]
    assert internet.asked == [(f"example.org:{internet.port}", "/a.png")]


def test_a_second_answer_of_the_name_server_changes_nothing(internet: Answering) -> None:
    internet.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert internet.get(f"http://rebinding.example:{internet.port}/a.png") == b"content"
    assert (internet.lookups, internet.connected) == (["rebinding.example"], [PUBLIC])
    with pytest.raises(InputError):
        internet.get(f"http://rebinding.example:{internet.port}/a.png")
    assert internet.connected == [PUBLIC]


def test_one_private_address_among_others_is_enough_to_refuse(internet: Answering) -> None:
    internet.names["mixed.example"] = [[PUBLIC, "10.0.0.1"]]
    with pytest.raises(InputError):
        internet.get(f"http://mixed.example:{internet.port}/a.png")
    assert internet.connected == []


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/a.png",
        "http://[::1]:{port}/a.png",
        "http://2130706433:{port}/",
        "//localhost:{port}/",
        "file:///etc/passwd",
    ],
)
def test_redirects_pass_the_same_way(internet: Answering, target: str) -> None:
    internet.names["localhost"] = [["127.0.0.1"]]
    internet.names["2130706433"] = [["127.0.0.1"]]
    internet.redirect = target.format(port=internet.port)
    with pytest.raises(InputError, match="the address cannot be fetched"):
        internet.get(f"http://example.org:{internet.port}/redirect")
    assert internet.connected == [PUBLIC]


def test_redirects_to_public_addresses_are_followed(internet: Answering) -> None:
    internet.redirect = "/a.png"
    assert internet.get(f"http://example.org:{internet.port}/redirect") == b"content"


def test_ports_and_sizes_are_limited(internet: Answering) -> None:
    with pytest.raises(InputError):
        internet.get(f"http://example.org:{internet.port}/large")
    with pytest.raises(InputError):
        internet.get("http://example.org:22/")
    assert internet.connected == [PUBLIC]


def test_a_refusal_does_not_tell_why(internet: Answering) -> None:
    internet.names["inside.example"] = [["10.0.0.1"]]
    told = set()
    for url in ("http://inside.example:{port}/", "http://example.org:1/", "http://example.org:{port}/large", "http://a@b/"):
        with pytest.raises(InputError) as refused:
            internet.get(url.format(port=internet.port))
        told.add(str(refused.value))
    assert len(told) == 1
