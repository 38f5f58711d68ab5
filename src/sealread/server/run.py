"""Runs the service until it is told to stop."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sealread.cache import default_cache
from sealread.config import load_config
from sealread.errors import InputError
from sealread.pipeline import create_pipeline
from sealread.server.addresses import fetch_public
from sealread.server.app import Application
from sealread.server.gate import HEADER_BYTES
from sealread.server.jobstore import JobStore
from sealread.server.limits import Limits, ServiceSettings, service_settings
from sealread.server.logs import log_to_standard_error
from sealread.server.metrics import Metrics
from sealread.server.service import Service
from sealread.server.tracing import exported_spans, no_span

_log = logging.getLogger(__name__)

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))
_KEEP_ALIVE = 30
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def serve(arguments: Mapping[str, Any], host: str, port: int) -> int:
    """Serve until SIGTERM or Ctrl-C; what was accepted by then is finished. Gives the exit status.

    Args:
        arguments: those of `create_pipeline`.
        host: address to listen on.
        port: its port.

    Raises:
        SealreadError: the configuration is refused or a network is missing.
    """
    application, settings = make_application(arguments, host, port)
    log_to_standard_error()
    if not _is_loopback(host) and not settings.keys:
        _log.warning("open to others without API keys", extra={"fields": {"host": host}})
    server = uvicorn.Server(server_config(application, host, port))
    server.run()
    return 0 if server.started else 1


def make_application(arguments: Mapping[str, Any], host: str, port: int) -> tuple[Application, ServiceSettings]:
    """The application for a pipeline, and the settings that its configuration gives.

    Raises:
        SealreadError: the configuration is refused or a network is missing.
    """
    create_pipeline(**arguments)  # what is missing is known before a port is opened
    config = load_config(arguments.get("pipeline"), arguments.get("config"))
    settings = service_settings(config)
    limits = settings.limits

    def fetch(url: str) -> bytes:
        return fetch_public(url, timeout=limits.url_seconds, max_bytes=limits.max_body_mb * 1_000_000, ports=limits.url_ports)

    hosts = None if limits.allowed_hosts is None else frozenset(name.lower() for name in limits.allowed_hosts)
    if hosts is None and _is_loopback(host):
        hosts = LOOPBACK_NAMES | {host.lower()}
    metrics = Metrics(exported_spans() if limits.telemetry else no_span)
    service = Service(config, arguments, settings, fetch, metrics)
    return Application(service, settings, hosts=hosts, store=_store(limits, port)), settings


def _store(limits: Limits, port: int) -> JobStore | None:
    """Where jobs are kept; None where none are, or where nobody named a folder and the usual one cannot be used.

    Raises:
        InputError: the folder that was named cannot be used.
    """
    if not limits.jobs:
        return None
    if limits.jobs_folder is not None:
        return JobStore(Path(limits.jobs_folder))
    try:
        return JobStore(default_cache() / f"jobs-{port}")
    except InputError as error:
        _log.warning("no jobs: %s", error)
        return None


def server_config(application: Application, host: str, port: int) -> uvicorn.Config:
    """How uvicorn runs it."""
    limits = application.settings.limits

    class Protocol(_Impatient):
        header_seconds = limits.upload_seconds
        most_connections = limits.max_connections

    return uvicorn.Config(
        application.asgi,
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_keep_alive=_KEEP_ALIVE,
    )


class _Impatient(H11Protocol):
    """Closes connections that are too many, and those whose headers do not come."""

    header_seconds: float
    most_connections: int
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            transport.close()
            return
        self._patience = self.loop.call_later(self.header_seconds, self._enough)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        idle = self.cycle is None or self.cycle.response_complete
        if not (idle and self.conn.trailing_data[0]):  # no headers that were begun and not ended
            self._forget()
        elif self._patience is None:
            self._patience = self.loop.call_later(self.header_seconds, self._enough)

    def _enough(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.write(_TIMED_OUT)
            self.transport.close()

    def _forget(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
