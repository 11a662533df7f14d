"""A node's statistics in the format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CONTENT_TYPE", "exposition"]

QUANTILES = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))
LABELS = ("kind", "node")


class _Snapshot(Collector):
    """Collects from a snapshot, so that no live metric is touched."""

    def __init__(self, statistics: Mapping[str, Mapping[str, Any]], labels: list[str]) -> None:
        self._statistics = statistics
        self._labels = labels

    def collect(self) -> Iterator[Metric]:
        for name, one in self._statistics.items():
            yield from self._families(f"concurrent_{name.replace('.', '_')}", one)

    def _families(self, name: str, one: Mapping[str, Any]) -> Iterator[Metric]:
        labels = self._labels
        if one["kind"] == "counter":
            counter = CounterMetricFamily(name, one["help"], labels=LABELS)
            counter.add_metric(labels, one["count"])
            yield counter
        elif one["kind"] == "gauge":
            yield self._gauge(name, one["help"], one["value"])
        else:
            summary = SummaryMetricFamily(name, one["help"], labels=LABELS)
            summary.add_metric(labels, one["count"], one["total"])
            named = dict(zip(LABELS, labels, strict=True))
            for quantile, key in QUANTILES:
                summary.add_sample(name, {**named, "quantile": quantile}, one[key])
            yield summary
            yield self._gauge(f"{name}_min", f"{one['help']} The least.", one["min"])
            yield self._gauge(f"{name}_max", f"{one['help']} The most.", one["max"])

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(name, text, labels=LABELS)
        gauge.add_metric(self._labels, value)
        return gauge


def exposition(statistics: Mapping[str, Mapping[str, Any]], kind: str, node: str) -> bytes:
    """Return statistics as text for Prometheus.

    Args:
        statistics: a snapshot of a node's registry.
        kind: what the node is.
        node: its name; both become labels.

    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(statistics, [kind, node]))
    return generate_latest(registry)
