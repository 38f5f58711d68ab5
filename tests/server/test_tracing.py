"""Spans and log lines."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from sealread.server.logs import JsonLines
from sealread.server.metrics import Metrics
from sealread.server.tracing import spans_of


def test_a_stage_is_a_span_and_a_time() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="spans need the extra [telemetry]")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    metrics = Metrics(spans_of(provider))
    with metrics.timed("recognise", logId="mine"), metrics.timed("open", page=3):
        pass
    inner, outer = kept.get_finished_spans()
    assert (inner.name, dict(inner.attributes), inner.parent.span_id) == ("open", {"page": 3}, outer.context.span_id)
    assert dict(outer.attributes) == {"logId": "mine"}
    assert b'sealread_stage_seconds_count{stage="open"} 1.0' in metrics.text()


def test_log_lines_are_json() -> None:
    record = logging.LogRecord("sealread", logging.INFO, __file__, 1, "request", (), None)
    record.fields = {"logId": "印", "status": 200}
    line: dict[str, Any] = json.loads(JsonLines().format(record))
    assert {"level": "info", "event": "request", "logId": "印", "status": 200}.items() <= line.items()


def test_metrics_tell_of_requests_and_networks(service: Any) -> None:
    service.client.get("/nothing")
    service.client.get("/health/ready")
    text = service.client.get("/metrics").text
    assert 'sealread_requests_total{route="other",status="404"}' in text
    for name in (
        "sealread_pages_total",
        "sealread_rejections",
        "sealread_pages_waiting",
        "sealread_processes_lost",
        "sealread_stage_seconds",
    ):
        assert name in text
