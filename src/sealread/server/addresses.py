"""Fetches addresses that strangers name, from the public internet only.

The name is looked up once for each connection; every address that it has must be public, and the connection goes to an address that was
checked, so that a second answer of the name server changes nothing. Redirects make new connections and pass the same way. Proxies of the
environment are not used: what they reach could not be checked.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from sealread.download import fetch
from sealread.errors import InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], Sequence[str]]


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet.

    IPv6 addresses that stand for IPv4 ones (mapped, compatible, NAT64) are not; of 6to4 and Teredo the inner address counts too.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inside: list[Address | None] = []
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:
            return False
        inside = [address.sixtofour, *(() if address.teredo is None else address.teredo)]
    return all(each.is_global and not each.is_multicast and not each.is_reserved for each in (address, *inside) if each is not None)


def looked_up(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver."""
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def fetch_public(url: str, *, timeout: float, max_bytes: int, ports: Sequence[int], lookup: Lookup = looked_up) -> bytes:
    """What a public address answers with.

    Args:
        url: http or https.
        timeout: seconds for everything but the lookup of names.
        max_bytes: largest body.
        ports: to which connections may go.
        lookup: gives the addresses of a name.

    Raises:
        InputError: not public, or it cannot be fetched; the message does not tell why a connection failed.
    """

    def connect(address: tuple[str, int], seconds: Any = None, source: Any = None) -> socket.socket:
        host, port = address
        if port not in ports:
            raise _NotPublicError
        found = lookup(host, port)
        if not found or not all(is_public(each) for each in found):
            raise _NotPublicError
        return socket.create_connection((found[0], port), seconds, source)

    refused = InputError("Invalid input file: the address cannot be fetched", parameter="file")
    if not (url.isascii() and url.isprintable()) or set(url) & set(' \\"<>'):
        raise refused
    try:
        if "@" in urlsplit(url).netloc:
            raise refused
        return fetch(url, timeout=timeout, max_bytes=max_bytes, connect=connect)
    except (ValueError, _NotPublicError) as cause:  # InputError is a ValueError, as are brackets that hold no address
        raise refused from cause


class _NotPublicError(OSError):
    """The address is not public."""
