"""The ways of tasks as OpenTelemetry spans."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import cast

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from concurrent_framework.api.feed import Feed
from concurrent_framework.api.tracing import record, trace

EVENT = {
    "kind": "tasks.ran",
    "time": 100.0,
    "application": 3,
    "task": "3/17",
    "worker": "w1",
    "name": "render",
    "tasks": 5,
    "seconds": 1.0,
    "queued": 4.0,
    "away": 2.0,
    "failed": False,
}


@pytest.mark.parametrize("failed", [False, True])
def test_a_run_is_a_trace(failed: bool) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    record(provider.get_tracer("test"), {**EVENT, "failed": failed})
    queue, run, way = kept.get_finished_spans()
    assert (way.name, queue.name, run.name) == ("render", "queue", "run")
    assert way.attributes == {"application": 3, "task": "3/17", "worker": "w1", "tasks": 5}
    seconds = [(one.start_time or 0, one.end_time or 0) for one in (way, queue, run)]
    assert [(a / 1e9, b / 1e9) for a, b in seconds] == [(94, 100), (94, 98), (99, 100)]
    assert all(one.parent and one.parent.span_id == way.context.span_id for one in (queue, run))
    assert way.status.is_ok is not failed


def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    asyncio.run(trace(cast("Feed", None), logging.getLogger("tests.tracing")))
    assert "pip install concurrent-framework[otel]" in caplog.text
