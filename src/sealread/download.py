"""Fetch the content of a web address within a limit of time and size."""

from __future__ import annotations

import http.client
import io
import socket
import string
import time
import urllib.error
import urllib.request
from functools import partial
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from sealread.errors import InputError

_CHUNK = 1 << 16
_MAX_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)


def fetch(url: str, *, timeout: float, max_bytes: int) -> bytes:
    """The body that the address answers with; its type is not looked at.

    Args:
        url: begins with ``http://`` or ``https://``; may hold characters beyond ASCII.
        timeout: seconds for everything from the first connection to the last byte, redirects included (only the lookup
            of the host's name is left to the operating system).
        max_bytes: largest body.

    Raises:
        InputError: no connection, a status other than success, a redirect to another scheme, too slow, too large or
            cut off.
    """
    opener = urllib.request.OpenerDirector()  # bare: the default opener also serves file:, ftp: and data:
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(_Http(time.monotonic() + timeout))
    try:
        address = _ascii(url)
        for _ in range(_MAX_REDIRECTS + 1):
            with opener.open(urllib.request.Request(address, headers={"User-Agent": "sealread"})) as response:
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    return _body(response, url, max_bytes)
                address = _redirected(address, response.headers["Location"], url)
    except TimeoutError as cause:
        raise _too_slow(url, timeout) from cause
    except urllib.error.URLError as cause:
        if isinstance(cause.reason, TimeoutError):
            raise _too_slow(url, timeout) from cause
        raise _refused(url, str(cause.reason)) from cause
    except InputError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as cause:
        raise _refused(url, str(cause)) from cause
    raise _refused(url, f"it redirects more than {_MAX_REDIRECTS} times")


def _refused(url: str, reason: str) -> InputError:
    return InputError(f"{url} cannot be fetched: {reason.rstrip('.')}.", source=url)


def _too_slow(url: str, timeout: float) -> InputError:
    return InputError(f"{url} did not answer in full within {timeout:g} s; try again or raise the time limit.", source=url)


def _ascii(url: str) -> str:
    """The address as it goes over the wire: the host in IDNA, the rest percent-encoded where it needs to be."""
    parts = urlsplit(url)
    return urlunsplit(
        (
            parts.scheme,
            parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode("ascii"),
            quote(parts.path, safe=string.punctuation),
            quote(parts.query, safe=string.punctuation),
            "",
        )
    )


def _redirected(address: str, location: str, url: str) -> str:
    """The address that `location`, a header's value as http.client decodes it, means when read at `address`."""
    target = urljoin(address, quote(location, safe=string.punctuation, encoding="latin-1"))
    if urlsplit(target).scheme not in ("http", "https"):
        raise _refused(url, f"it redirects to {target}, which is no http or https address")
    return target


def _body(response: http.client.HTTPResponse, url: str, max_bytes: int) -> bytes:
    if not 200 <= response.status < 300:
        raise _refused(url, f"the server answered {response.status} {response.reason}")
    too_large = InputError(f"{url} is larger than the limit of {max_bytes:,} bytes; download it and pass the file.", source=url)
    length = response.headers.get("Content-Length", "")
    declared = int(length) if length.isdecimal() else None
    if declared is not None and declared > max_bytes:
        raise too_large
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    if declared is not None and len(body) < declared:
        raise InputError(f"{url} was cut off after {len(body):,} of {declared:,} bytes; try again.", source=url)
    return bytes(body)


class _Http(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens http and https, every wait cut to what is left until the deadline."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(http.client.HTTPConnection, req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(http.client.HTTPSConnection, req)

    def _open(self, connection: type[http.client.HTTPConnection], req: urllib.request.Request) -> http.client.HTTPResponse:
        def connect(host: str, **options: Any) -> http.client.HTTPConnection:
            link = connection(host, **{**options, "timeout": _left(self._deadline)})
            link.response_class = partial(_Response, self._deadline)  # type: ignore[assignment]
            return link

        return self.do_open(connect, req)


class _Response(http.client.HTTPResponse):
    # A socket's own time limit starts again with every byte; a server that drips would never end.
    def __init__(self, deadline: float, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock, deadline))


class _UntilDeadline(io.RawIOBase):
    """The bytes of a socket, until the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time limit is over")
    return left
