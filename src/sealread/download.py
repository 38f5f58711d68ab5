"""Fetch the content of a web address within limits of time and size: into memory, or into a file that a later attempt continues."""

from __future__ import annotations

import http.client
import io
import math
import socket
import string
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from sealread.errors import InputError

T = TypeVar("T")
#: Called as `socket.create_connection` is: ``((host, port), seconds, source address)``.
Connect = Callable[..., socket.socket]

_CHUNK = 1 << 16
_MAX_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
#: Seconds for one whole file, whatever its size, and for a connection.
_LONGEST, _CONNECT = 3600.0, 10.0


class FetchError(InputError):
    """An address gave nothing.

    Attributes:
        status: what the server answered; None where the connection failed.
        broken: whether the connection broke or stalled underway, so that another attempt may help.
    """

    def __init__(self, message: str, *, source: str, status: int | None = None, broken: bool = False) -> None:
        super().__init__(message, source=source)
        self.status = status
        self.broken = broken


@dataclass(frozen=True, slots=True)
class _Clock:
    """How long one may wait: until the end, and for each sign of life."""

    end: float
    quiet: float = math.inf

    def left(self) -> float:
        left = min(self.end - time.monotonic(), self.quiet)
        if left <= 0:
            raise TimeoutError("the time limit is over")
        return left


def fetch(url: str, *, timeout: float, max_bytes: int, connect: Connect | None = None) -> bytes:
    """The body that the address answers with; its type is not looked at.

    Args:
        url: begins with ``http://`` or ``https://``; may hold characters beyond ASCII.
        timeout: seconds for everything from the first connection to the last byte, redirects included (only the lookup
            of the host's name is left to the operating system).
        max_bytes: largest body.
        connect: makes each connection, in place of `socket.create_connection` and of the proxies of the environment.

    Raises:
        InputError: no connection, a status other than success, a redirect to another scheme, too slow, too large or
            cut off.
    """
    clock = _Clock(time.monotonic() + timeout)
    return _asked(url, clock, {}, f"in full within {timeout:g} s", partial(_body, url=url, max_bytes=max_bytes), connect)


def save(url: str, part: Path, *, quiet: float, max_bytes: int) -> None:
    """Bring the body that the address answers with into a file.

    What an attempt that broke left there is continued, where the server still has the same content and can start in its middle.

    Args:
        part: the file; beside it lies ``NAME.tag``, which says what content it is a part of, until the file is whole.
        quiet: seconds without a byte after which the server counts as stalled.
        max_bytes: largest body.

    Raises:
        FetchError: as `fetch`; `broken` tells whether to try again.
    """
    tag = part.with_name(f"{part.name}.tag")
    have, mark = (part.stat().st_size, tag.read_text(encoding="ascii")) if part.exists() and tag.exists() else (0, "")
    headers = {"Range": f"bytes={have}-", "If-Range": mark} if have and mark else {}
    clock = _Clock(time.monotonic() + _LONGEST, quiet)
    write = partial(_written, url=url, part=part, tag=tag, have=have if headers else 0, max_bytes=max_bytes)
    if not _asked(url, clock, headers, f"for {quiet:g} s", write):
        # The server finds nothing at that place: what lies here is of no use.
        part.unlink()
        tag.unlink()
        _asked(url, clock, {}, f"for {quiet:g} s", partial(write, have=0))
    tag.unlink(missing_ok=True)


def _asked(
    url: str,
    clock: _Clock,
    headers: Mapping[str, str],
    within: str,
    use: Callable[[http.client.HTTPResponse], T],
    connect: Connect | None = None,
) -> T:
    """What `use` makes of the answer, redirects followed."""
    opener = urllib.request.OpenerDirector()  # bare: the default opener also serves file:, ftp: and data:
    if connect is None:
        opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(_Http(clock, connect))
    try:
        address = _ascii(url)
        for _ in range(_MAX_REDIRECTS + 1):
            with opener.open(urllib.request.Request(address, headers={"User-Agent": "sealread", **headers})) as response:
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    return use(response)
                address = _redirected(address, response.headers["Location"], url)
    except TimeoutError as cause:
        raise _too_slow(url, within) from cause
    except urllib.error.URLError as cause:
        if isinstance(cause.reason, TimeoutError):
            raise _too_slow(url, within) from cause
        raise _refused(url, str(cause.reason)) from cause
    except InputError:
        raise
    except (ConnectionError, http.client.IncompleteRead) as cause:
        raise _refused(url, str(cause), broken=True) from cause
    except (OSError, http.client.HTTPException, ValueError) as cause:
        raise _refused(url, str(cause)) from cause
    raise _refused(url, f"it redirects more than {_MAX_REDIRECTS} times")


def _refused(url: str, reason: str, status: int | None = None, *, broken: bool = False) -> FetchError:
    return FetchError(f"{url} cannot be fetched: {reason.rstrip('.')}.", source=url, status=status, broken=broken)


def _too_slow(url: str, within: str) -> FetchError:
    return FetchError(f"{url} did not answer {within}; try again or raise the time limit.", source=url, broken=True)


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
    if urlsplit(address).scheme == "https" and urlsplit(target).scheme == "http":
        raise _refused(url, f"it redirects from https to {target}, which is not encrypted")
    return target


def _body(response: http.client.HTTPResponse, url: str, max_bytes: int) -> bytes:
    declared = _declared(response, url, max_bytes)
    body = bytearray()
    for chunk in _chunks(response, url, max_bytes, declared):
        body += chunk
    return bytes(body)


def _written(response: http.client.HTTPResponse, url: str, part: Path, tag: Path, have: int, max_bytes: int) -> bool:
    """Write the body, or the rest of it; False where the server has no rest."""
    if response.status == 416 and have:
        return False
    goes_on = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    if response.status == 206 and not goes_on:
        raise _refused(url, "the server answered with another part than was asked for", response.status)
    before = have if goes_on else 0
    declared = _declared(response, url, max_bytes - before)
    if not goes_on:
        # A weak tag does not promise the same bytes.
        mark = response.headers.get("ETag", "")
        mark = response.headers.get("Last-Modified", "") if not mark or mark.startswith("W/") else mark
        tag.write_text(mark if mark.isascii() else "", encoding="ascii")
    with part.open("ab" if goes_on else "wb") as file:
        for chunk in _chunks(response, url, max_bytes - before, declared):
            file.write(chunk)
    return True


def _declared(response: http.client.HTTPResponse, url: str, max_bytes: int) -> int | None:
    """The length that the answer declares, if it is a success and not too long."""
    if not 200 <= response.status < 300:
        raise _refused(url, f"the server answered {response.status} {response.reason}", response.status)
    length = response.headers.get("Content-Length", "")
    declared = int(length) if length.isdecimal() else None
    if declared is not None and declared > max_bytes:
        raise _too_large(url, max_bytes)
    return declared


def _chunks(response: http.client.HTTPResponse, url: str, max_bytes: int, declared: int | None) -> Iterator[bytes]:
    count = 0
    while chunk := response.read1(_CHUNK):
        count += len(chunk)
        if count > max_bytes:
            raise _too_large(url, max_bytes)
        yield chunk
    if declared is not None and count < declared:
        raise FetchError(f"{url} was cut off after {count:,} of {declared:,} bytes; try again.", source=url, broken=True)


def _too_large(url: str, max_bytes: int) -> FetchError:
    return FetchError(f"{url} is larger than the limit of {max_bytes:,} bytes; download it and pass the file.", source=url)


class _Http(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens http and https, every wait cut to what is left until the deadline."""

    def __init__(self, clock: _Clock, connect: Connect | None) -> None:
        super().__init__()
        self._clock, self._connect = clock, connect

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(http.client.HTTPConnection, req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(http.client.HTTPSConnection, req)

    def _open(self, connection: type[http.client.HTTPConnection], req: urllib.request.Request) -> http.client.HTTPResponse:
        def connect(host: str, **options: Any) -> http.client.HTTPConnection:
            link = connection(host, **{**options, "timeout": min(self._clock.left(), _CONNECT)})
            link.response_class = partial(_Response, self._clock)  # type: ignore[assignment]
            if self._connect is not None:
                link._create_connection = self._connect  # type: ignore[attr-defined]
            return link

        return self.do_open(connect, req)


class _Response(http.client.HTTPResponse):
    # A socket's own time limit starts again with every byte; a server that drips would never end.
    def __init__(self, clock: _Clock, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock, clock))


class _UntilDeadline(io.RawIOBase):
    """The bytes of a socket, until the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, clock: _Clock) -> None:
        self._raw, self._sock, self._clock = raw, sock, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._clock.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
