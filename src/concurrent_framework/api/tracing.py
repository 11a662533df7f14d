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
    try:
        async for event in feed.follow():
            if event is not None and event["kind"] == "tasks.ran":
                record(tracer, event)
    except ConcurrentError as error:
        log.warning("no more traces: %s", error)


def record(tracer: Tracer, event: Mapping[str, Any]) -> None:
    """Make the spans of one run: the task's way, and in it the time in the queue and at the worker."""
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    end = int(event["time"] * NANOSECONDS)
    assigned = end - int(event["away"] * NANOSECONDS)
    submitted = assigned - int(event["queued"] * NANOSECONDS)
    ran = max(assigned, end - int(event["seconds"] * NANOSECONDS))
    attributes = {
        key: event[key] for key in ("application", "task", "worker", "tasks") if key in event
    }
    way = tracer.start_span(str(event["name"]), start_time=submitted, attributes=attributes)
    inside = set_span_in_context(way)
    tracer.start_span("queue", inside, start_time=submitted).end(assigned)
    tracer.start_span("run", inside, start_time=ran).end(end)
    if event["failed"]:
        way.set_status(Status(StatusCode.ERROR))
    way.end(end)
