"""Counts and times of the service, in the text form that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sealread.server.tracing import Span, no_span

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All that `/metrics` tells; one registry of its own for each service.

    Args:
        span: opens a span beside each stage that is timed here.
    """

    def __init__(self, span: Span = no_span) -> None:
        self._span = span
        self._registry = CollectorRegistry()
        make: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter("sealread_requests", "Requests that were answered.", ("route", "status"), **make)
        self._seconds = Histogram("sealread_request_seconds", "From the first byte to the last.", ("route",), buckets=_SECONDS, **make)
        self._stages = Histogram("sealread_stage_seconds", "Time of each stage of the work.", ("stage",), buckets=_SECONDS, **make)
        self._rejections = Counter("sealread_rejections", "Requests that were not worked on.", ("status",), **make)
        self.pages = Counter("sealread_pages", "Pages that were read.", **make)
        self.seals = Counter("sealread_seals", "Seals that were found.", **make)
        self._models = Gauge("sealread_model", "Networks in use; always 1.", ("task", "name", "engine", "sha256"), **make)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one request; 0 where the client was gone before the answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status in (401, 403, 408, 413, 421, 429, 431):
            self._rejections.labels(str(status)).inc()

    def stage(self, name: str, seconds: float) -> None:
        """Count the time of one stage of one page or request."""
        self._stages.labels(name).observe(seconds)

    @contextmanager
    def timed(self, name: str, **attributes: str | int) -> Iterator[None]:
        """Count the time of a stage and open a span for it."""
        started = time.perf_counter()
        with self._span(name, attributes):
            yield
        self.stage(name, time.perf_counter() - started)

    def networks(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Tell which networks are in use."""
        for row in rows:
            self._models.labels(row["task"], row["name"], str(row["engine"]), str(row["sha256"])[:12]).set(1)

    def watch(self, numbers: Callable[[], Mapping[str, tuple[str, float]]]) -> None:
        """Tell numbers that are looked up when asked for: by name, what it is and its value."""
        self._registry.register(_Looked(numbers))

    def text(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)


class _Looked(Collector):
    def __init__(self, numbers: Callable[[], Mapping[str, tuple[str, float]]]) -> None:
        self._numbers = numbers

    def collect(self) -> list[Metric]:
        return [GaugeMetricFamily(name, help_text, value) for name, (help_text, value) in self._numbers().items()]
