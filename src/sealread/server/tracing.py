"""OpenTelemetry spans, where the operator asked for them and the packages are installed; else nothing.

Where spans go is told by the standard ``OTEL_`` variables.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sealread.errors import ModelError

#: Opens a span: its name and what it tells.
Span = Callable[[str, Mapping[str, Any]], AbstractContextManager[Any]]

_NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def no_span(name: str, attributes: Mapping[str, Any]) -> AbstractContextManager[Any]:
    """Does nothing."""
    return nullcontext()


def exported_spans() -> Span:
    """Spans that are sent over OTLP and HTTP.

    Raises:
        ModelError: the packages are not installed.
    """
    try:
        missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    except ModuleNotFoundError as error:
        missing = [str(error.name)]
    if missing:
        raise ModelError(f"Serving.extra.telemetry needs {missing[0]}, which is not installed: run pip install 'sealread[telemetry]'")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "sealread"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return spans_of(provider)


def spans_of(provider: Any) -> Span:
    """Spans of an OpenTelemetry tracer provider."""
    tracer = provider.get_tracer("sealread")

    def span(name: str, attributes: Mapping[str, Any]) -> AbstractContextManager[Any]:
        opened: AbstractContextManager[Any] = tracer.start_as_current_span(name, attributes=dict(attributes))
        return opened

    return span
