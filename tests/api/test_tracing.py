"""The ways of tasks as OpenTelemetry spans."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from concurrent_framework.api.feed import Feed
from concurrent_framework.api.master_link import MasterLink
from concurrent_framework.api.tracing import Traces, record, trace
from concurrent_framework.application.connection import Connection
from tests.cluster.place import PATIENCE
from tests.cluster.swarm import Swarm

if TYPE_CHECKING:
    from concurrent_framework.api.context import ApiContext

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


class Kept:
    """Spans in memory, by their names."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = provider.get_tracer("test")

    def peek(self) -> tuple[ReadableSpan, ...]:
        return self._spans.get_finished_spans()

    def take(self) -> dict[str, ReadableSpan]:
        found = {one.name: one for one in self._spans.get_finished_spans()}
        self._spans.clear()
        return found


def seconds_of(span: ReadableSpan) -> tuple[float, float]:
    return (span.start_time or 0) / 1e9, (span.end_time or 0) / 1e9


@pytest.mark.parametrize("failed", [False, True])
def test_the_whole_way_of_a_task_is_one_trace(failed: bool) -> None:
    kept = Kept()
    record(kept.tracer, {**EVENT, "failed": failed}, 101.0)
    spans = kept.take()
    assert {name: seconds_of(one) for name, one in spans.items()} == {
        "render": (94, 101),
        "queue": (94, 98),
        "worker": (98, 100),
        "run": (99, 100),
        "deliver": (100, 101),
    }
    way = spans.pop("render")
    assert way.attributes == {"application": 3, "task": "3/17", "worker": "w1", "tasks": 5}
    assert {one.context.trace_id for one in spans.values()} == {way.context.trace_id}
    parents = {name: one.parent.span_id for name, one in spans.items() if one.parent}
    assert parents.pop("run") == spans["worker"].context.span_id
    assert parents == dict.fromkeys(("queue", "worker", "deliver"), way.context.span_id)
    assert [(one.name, one.timestamp / 1e9) for one in way.events] == [("submitted", 94)]
    assert way.status.is_ok is not failed


def test_a_run_waits_for_its_delivery_or_for_the_end_of_its_application() -> None:
    kept = Kept()
    traces = Traces(kept.tracer, most=2)
    traces.take(EVENT)
    traces.take({"kind": "task.delivered", "task": "9/9", "time": 100.5})
    assert kept.take() == {}
    traces.take({"kind": "task.delivered", "task": "3/17", "time": 100.5})
    assert seconds_of(kept.take()["deliver"]) == (100, 100.5)
    traces.take(EVENT)
    traces.take({"kind": "application.ended", "application": 4})
    assert kept.take() == {}
    traces.take({"kind": "application.ended", "application": 3})
    assert "deliver" not in (spans := kept.take())
    assert "render" in spans
    for number in range(3):
        traces.take({**EVENT, "task": f"3/{number}", "name": f"n{number}"})
    assert set(kept.take()) == {"n0", "queue", "worker", "run"}
    traces.end()
    assert {"n1", "n2"} < set(kept.take())


def test_the_call_of_finished_is_a_part_of_the_way() -> None:
    kept = Kept()
    traces = Traces(kept.tracer)
    traces.take(EVENT)
    traces.take({"kind": "task.finished", "task": "3/17", "time": 103.0})
    traces.take({"kind": "task.delivered", "task": "3/17", "time": 104.0})
    spans = kept.take()
    assert seconds_of(spans["finished"]) == (100, 103)
    assert seconds_of(spans["deliver"]) == (103, 104)
    assert seconds_of(spans["render"]) == (94, 104)


NOTIFIED = """
from concurrent_framework import ApplicationNode, IApp, Task, implements

class Notified(Task):
    def __call__(self):
        return 1
    def finished(self, result, error):
        print("it was called")

class Notify(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        self.push_task(Notified("notified", None, self.node_id_str))
    def task_finished(self, task, result, error):
        self.shutdown_main_loop()
"""


@pytest.mark.parametrize("notified", [False, True])
def test_a_real_task_is_traced_from_its_submission_to_its_delivery(
    swarm: Swarm, tmp_path: Path, notified: bool
) -> None:
    """The events of a master are followed until one whole way is known."""
    program = tmp_path / "notify.py"
    program.write_text(NOTIFIED)
    words = [str(program)] if notified else ["md5"]
    more = [] if notified else ["--", "0" * 32, "--limit", "10"]
    kept = Kept()
    seen: set[str] = set()

    async def watch() -> None:
        link = MasterLink(Connection(swarm.endpoint))
        api = cast("ApiContext", SimpleNamespace(ask=lambda kind, **more: link.ask(kind, more)))
        traces = Traces(kept.tracer)
        followed = Feed(api, 0.02, deliveries=True).follow()
        await anext(followed)
        running = swarm.place.start("run", *words, "--join", swarm.endpoint, *more)
        async for event in followed:
            if event is not None:
                traces.take(event)
                seen.add(event["kind"])
                if event["kind"] == "task.delivered":
                    break
        await followed.aclose()  # type: ignore[attr-defined]
        link.close()
        running.ends()

    asyncio.run(asyncio.wait_for(watch(), PATIENCE))
    assert "tasks.ran" in seen
    assert ("finished" in {one.name for one in kept.peek()}) == notified
    spans = kept.take()
    assert {"queue", "worker", "run", "deliver"} < set(spans)
    (way,) = (one for one in spans.values() if one.parent is None)
    assert {one.context.trace_id for one in spans.values()} == {way.context.trace_id}


def test_what_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    asyncio.run(trace(cast("Feed", None), logging.getLogger("tests.tracing")))
    assert "pip install concurrent-framework[otel]" in caplog.text
