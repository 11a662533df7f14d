"""The options of a node's HTTP interface."""

from __future__ import annotations

from concurrent_framework.components import Component
from concurrent_framework.config import Option

PORT = 8080


class TraceOptions(Component):
    """Whether the ways of tasks are traced."""

    name = "otel"

    enabled = Option(
        "otel",
        "enabled",
        default=False,
        doc="Whether a master that serves its API sends OpenTelemetry traces of tasks, one per batch,"
        " to where OTEL_EXPORTER_OTLP_ENDPOINT says; needs concurrent-framework[otel].",
    )


class ApiOptions(Component):
    """Whether and where a node serves its API."""

    name = "api"

    enabled = Option(
        "api",
        "enabled",
        default=None,
        kind=bool,
        doc="Whether the node serves its API over HTTP; if not set, a master does and others not.",
    )
    port = Option(
        "api",
        "port",
        default=PORT,
        minimum=0,
        maximum=65535,
        doc="The port on 127.0.0.1; a free one if it is taken, and with 0 always.",
    )
