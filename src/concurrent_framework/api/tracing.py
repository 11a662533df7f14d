"""OpenTelemetry traces of the ways of tasks, one per batch, made from the live events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from logging import Logger

    from opentelemetry.trace import Tracer

    from concurrent_framework.api.feed import Feed

NANOSECONDS = 1_000_000_000
MOST = 10_000
"""Runs that are kept until their outcomes have been handled."""


async def trace(feed: Feed, log: Logger) -> None:
    """Send traces until cancelled, to where OpenTelemetry's environment variables say.

    Args:
        feed: where the events come from.
        log: where it is told if that cannot be.

    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # type: ignore[import-not-found, unused-ignore]  # an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log.error("no traces: %s; pip install concurrent-framework[otel]", error)  # noqa: TRY400 (it says all)
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "concurrent"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        await follow(feed, provider.get_tracer("concurrent_framework"), log)
    finally:
        provider.shutdown()


async def follow(feed: Feed, tracer: Tracer, log: Logger) -> None:
    """Make spans of what the feed tells, until its end."""
    traces = Traces(tracer)
    try:
        async for event in feed.follow():
            if event is not None:
                traces.take(event)
    except ConcurrentError as error:
        log.warning("no more traces: %s", error)
    finally:
        traces.end()


class Traces:
    """Makes a trace of each run, once its outcome has been handled or will not be told of.

    Args:
        tracer: takes the spans.
        most: runs that may wait for that; of more, the oldest is told without.

    """

    def __init__(self, tracer: Tracer, most: int = MOST) -> None:
        self._tracer = tracer
        self._most = most
        self._open: dict[str, Mapping[str, Any]] = {}
        self._finished: dict[str, float] = {}
        """When the `finished` of these was called."""

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in what has happened."""
        if event["kind"] == "tasks.ran":
            earlier = self._open.pop(event["task"], None)
            if earlier is not None:  # it was attempted again
                self._record(earlier)
            self._open[event["task"]] = event
            if len(self._open) > self._most:
                self._record(self._open.pop(next(iter(self._open))))
        elif event["kind"] == "task.finished" and event["task"] in self._open:
            self._finished[event["task"]] = event["time"]
        elif event["kind"] == "task.delivered":
            run = self._open.pop(event["task"], None)
            if run is not None:
                self._record(run, event["time"])
        elif event["kind"] == "application.ended":
            self._close(event.get("application"))

    def end(self) -> None:
        """Tell of all that wait."""
        while self._open:
            self._record(self._open.pop(next(iter(self._open))))

    def _close(self, application: object) -> None:
        over = [key for key, run in self._open.items() if run["application"] == application]
        for key in over:
            self._record(self._open.pop(key))

    def _record(self, run: Mapping[str, Any], delivered: float | None = None) -> None:
        record(self._tracer, run, delivered, finished=self._finished.pop(run["task"], None))


def record(
    tracer: Tracer,
    event: Mapping[str, Any],
    delivered: float | None = None,
    *,
    finished: float | None = None,
) -> None:
    """Make the spans of one run: the task's whole way, and in it the parts of that.

    They are: in the queue, away at the worker, in which it runs, `finished` if its class overrides
    that, and delivered. That the master took it in is an event, as it is a moment and no span.

    Args:
        tracer: takes the spans.
        event: that it ran.
        delivered: unix time when the application had handled its outcome; None if that is not known.
        finished: unix time when its `finished` had been called; None if that was not.

    """
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    ended = int(event["time"] * NANOSECONDS)
    assigned = ended - int(event["away"] * NANOSECONDS)
    submitted = assigned - int(event["queued"] * NANOSECONDS)
    ran = max(assigned, ended - int(event["seconds"] * NANOSECONDS))
    called = ended if finished is None else max(ended, int(finished * NANOSECONDS))
    end = called if delivered is None else max(called, int(delivered * NANOSECONDS))
    attributes = {
        key: event[key] for key in ("application", "task", "worker", "tasks") if key in event
    }
    way = tracer.start_span(str(event["name"]), start_time=submitted, attributes=attributes)
    way.add_event("submitted", timestamp=submitted)
    inside = set_span_in_context(way)
    tracer.start_span("queue", inside, start_time=submitted).end(assigned)
    worker = tracer.start_span("worker", inside, start_time=assigned)
    tracer.start_span("run", set_span_in_context(worker), start_time=ran).end(ended)
    worker.end(ended)
    if finished is not None:
        tracer.start_span("finished", inside, start_time=ended).end(called)
    if delivered is not None:
        tracer.start_span("deliver", inside, start_time=called).end(end)
    if event["failed"]:
        way.set_status(Status(StatusCode.ERROR))
    way.end(end)
