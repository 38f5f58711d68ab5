"""What stands before the routes: who may ask, how often and how much; safe headers; one line of log for each request.

Everything here is decided before a body is read, but the size and the pace of the body itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sealread.server.limits import ServiceSettings
from sealread.server.metrics import Metrics
from sealread.server.schema import envelope, new_log_id

_log = logging.getLogger("sealread.access")

RETRY_AFTER = "5"
#: Of all headers of a request.
HEADER_BYTES = 16_384
_MOST_HEADERS = 100
_MEGABYTE = 1_000_000
_CLIENTS_REMEMBERED = 10_000
#: Open to all, keys or none: health, and what the web page is made of.
_HEALTH = ("/health", "/health/live", "/health/ready")
_OPEN = (*_HEALTH, "/", "/settings", "/docs", "/docs/style.css", "/openapi.json", "/favicon.ico")
_PAGE = ("/page/",)

_STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_OF_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """A request that is answered without being worked on.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def headers(self) -> dict[str, str]:
        """Those that belong to the status."""
        if self.status == 429:
            return {"retry-after": RETRY_AFTER}
        return {"www-authenticate": "Bearer"} if self.status == 401 else {}


class Keys:
    """API keys, kept as digests; all are compared, each in constant time."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def __len__(self) -> int:
        return len(self._digests)

    def owner(self, headers: MutableMapping[str, str] | Any) -> str | None:
        """Who asks, as a short name that does not tell the key; ``anyone`` where no keys are set, None for a wrong key."""
        if not self._digests:
            return "anyone"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return digest.hex()[:12] if any(matches) else None


class Pace:
    """So many requests a minute for each client, with a burst of as many as ten seconds bring."""

    def __init__(self, each_minute: int | None) -> None:
        self._rate = None if each_minute is None else each_minute / 60
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, client: str) -> bool:
        """Count one request of a client."""
        if self._rate is None:
            return True
        burst, now = max(10 * self._rate, 1.0), time.monotonic()
        left, before = self._left.pop(client, (burst, now))
        left = min(burst, left + (now - before) * self._rate)
        self._left[client] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _CLIENTS_REMEMBERED:
            self._left.popitem(last=False)
        return left >= 1


class Room:
    """What may be held at a time: requests, and the bytes of their bodies."""

    def __init__(self, requests: int, megabytes: int) -> None:
        self._requests, self._bytes = requests, megabytes * _MEGABYTE
        self.requests = 0
        self.bytes = 0

    def enter(self) -> None:
        """Count a request.

        Raises:
            Refusal: there is no room.
        """
        if self.requests >= self._requests:
            raise Refusal(429, "Too many requests are waiting; try again later")
        self.requests += 1

    def add(self, count: int) -> None:
        """Count bytes of a request that has entered.

        Raises:
            Refusal: there is no room.
        """
        if self.bytes + count > self._bytes:
            raise Refusal(429, "Too much is waiting; try again later")
        self.bytes += count

    def leave(self, count: int) -> None:
        """A request goes, and its bytes."""
        self.requests -= 1
        self.bytes -= count


class Place:
    """A request's place in the room; leaving it gives all back.

    Attributes:
        bytes: of the body so far.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self.bytes = 0

    def __enter__(self) -> Place:
        self._room.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self._room.leave(self.bytes)

    async def body(self, request: Request, most: int, seconds: float) -> bytes:
        """The body, if it is not too large and comes in time.

        Raises:
            Refusal: too large, too slow, cut off, or no room for it.
        """
        too_large = Refusal(413, f"The body is larger than {most:,} bytes")
        declared = request.headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdecimal()):
            raise Refusal(400, "Content-Length is no number")
        if len(declared) > 18 or int(declared) > most:
            raise too_large
        pieces = []
        try:
            async with asyncio.timeout(seconds):
                async for piece in request.stream():
                    if self.bytes + len(piece) > most:
                        raise too_large
                    self._room.add(len(piece))
                    self.bytes += len(piece)
                    pieces.append(piece)
        except TimeoutError:
            raise Refusal(408, f"The body did not arrive within {seconds:g} s") from None
        except ClientDisconnect:
            raise Refusal(400, "The body was cut off") from None
        return b"".join(pieces)


class Gate:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, hosts: frozenset[str] | None, metrics: Metrics) -> None:
        self._app, self._hosts, self._metrics = app, hosts, metrics
        self._keys, self._pace = Keys(settings.keys), Pace(settings.limits.requests_per_minute)
        self._send_seconds = settings.limits.send_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        state = scope.setdefault("state", {})
        state.update(log_id=new_log_id(), owner="anyone", fields={})
        status, started = 0, time.perf_counter()

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_headers(scope["path"], [name for name, _ in message["headers"]])]
            async with asyncio.timeout(self._send_seconds):
                await send(message)

        try:
            state["owner"] = self._admit(request)
            await self._app(scope, receive, guarded)
        except Refusal as refusal:
            await _refuse(refusal, state["log_id"], guarded)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self._metrics.answered(route, status, seconds)
            if route not in _HEALTH or status >= 400:
                fields = {"logId": state["log_id"], "method": scope["method"], "route": route, "status": status}
                _log.info("request", extra={"fields": {**fields, "seconds": round(seconds, 4), "owner": state["owner"], **state["fields"]}})

    def _admit(self, request: Request) -> str:
        """Who asks.

        Raises:
            Refusal: too many headers, a foreign host or origin, no key, or too often.
        """
        if len(request.headers) > _MOST_HEADERS or sum(len(name) + len(value) for name, value in request.headers.raw) > HEADER_BYTES:
            raise Refusal(431, f"The headers are more than {_MOST_HEADERS}, or larger than {HEADER_BYTES:,} bytes")
        host = request.headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            raise Refusal(421, "This server does not answer under that name")
        origin = request.headers.get("origin")
        if origin is not None and request.method not in ("GET", "HEAD") and urlsplit(origin).netloc.lower() != host.lower():
            raise Refusal(403, "Requests from pages of other servers are refused")
        path = request.scope["path"]
        client = "" if request.client is None else request.client.host
        is_open = path in _OPEN or path.startswith(_PAGE)
        owner = "anyone" if is_open else self._keys.owner(request.headers)
        by_key = len(self._keys) > 0 and not is_open and owner is not None
        # One look at the web page loads many small files from memory: these are not counted.
        if path not in _HEALTH and not path.startswith(_PAGE) and not self._pace.allows(owner if by_key and owner is not None else client):
            raise Refusal(429, "Too many requests; try again later")
        if owner is None:
            raise Refusal(401, "An API key is needed: Authorization: Bearer KEY")
        return owner


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    return (host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]).lower().rstrip(".")


def _route(scope: Scope) -> str:
    """The route's pattern, so that what strangers ask for makes no labels."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) and path else "other"


def _headers(path: str, known: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    of_page = path in ("/", "/docs") or path.startswith(_PAGE)
    headers = [*_HEADERS, (b"content-security-policy", (_OF_PAGE if of_page else _STRICT).encode())]
    if not path.startswith(_PAGE):
        headers.append((b"cache-control", b"no-store"))
    present = {name.lower() for name in known}
    return [header for header in headers if header[0] not in present]


async def _refuse(refusal: Refusal, log_id: str, send: Send) -> None:
    body = json.dumps(envelope(log_id, refusal.status, str(refusal))).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **refusal.headers}
    start: dict[str, Any] = {"type": "http.response.start", "status": refusal.status}
    await send({**start, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": body})
