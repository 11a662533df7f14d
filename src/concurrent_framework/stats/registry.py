"""All statistics of one node by name, and what stands in for them when they are switched off."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from concurrent_framework.components import Component
from concurrent_framework.config import Option
from concurrent_framework.stats.metrics import Counter, Histogram, Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.config import Config


M = TypeVar("M", Counter, Histogram)


class StatsOptions(Component):
    """Whether a node keeps statistics, and whether it writes them into its log."""

    name = "stats"

    enabled = Option(
        "stats", "enabled", default=True, doc="Whether the node measures its own work."
    )
    dump_interval = Option(
        "stats",
        "dump_interval",
        default=0.0,
        minimum=0.0,
        unit="seconds",
        doc="How often the node writes its statistics into its log; 0 for never.",
    )


class _Entry(NamedTuple):
    help: str
    metric: Counter | Histogram | Callable[[], float]
    rate: Rate


class Registry:
    """Makes the statistics of a node and shows them.

    Each is recorded into by one thread; `snapshot` may be called by any.

    Args:
        clock: seconds.

    Example:
        >>> registry = Registry()
        >>> registry.counter("transport.sent", "Envelopes sent.").add(2)
        >>> registry.snapshot()["transport.sent"]["count"]
        2

    """

    enabled = True

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def counter(self, name: str, text: str) -> Counter:
        """Return a counter, made when it is first asked for.

        Args:
            name: ``subsystem.what``.
            text: what it counts, for people.

        """
        return self._made(name, text, Counter)

    def histogram(self, name: str, text: str) -> Histogram:
        """Return a histogram, made when it is first asked for; its name ends with the unit."""
        return self._made(name, text, Histogram)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show a value that is read when somebody looks: a plain number that a core keeps.

        Args:
            name: ``subsystem.what``.
            text: what it is, for people.
            read: returns it, in constant time; called by any thread.

        """
        with self._lock:
            self._entries[name] = _Entry(text, read, Rate(self._clock()))

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return everything there is, by name, as values of builtin types."""
        now = self._clock()
        with self._lock:
            return {name: _described(self._entries[name], now) for name in sorted(self._entries)}

    def _made(self, name: str, text: str, kind: type[M]) -> M:
        with self._lock:
            entry = self._entries.get(name)
            if entry is None:
                entry = self._entries[name] = _Entry(text, kind(), Rate(self._clock()))
            assert isinstance(entry.metric, kind), f"{name} is no {kind.__name__}"
            return entry.metric


def _described(entry: _Entry, now: float) -> dict[str, Any]:
    metric = entry.metric
    if isinstance(metric, Histogram):
        found = metric.describe()
        rate = entry.rate.at(now, found["count"])
        return {"kind": "histogram", "help": entry.help, "rate": rate, **found}
    if isinstance(metric, Counter):
        count = metric.count
        rate = entry.rate.at(now, count)
        return {"kind": "counter", "help": entry.help, "rate": rate, "count": count}
    return {"kind": "gauge", "help": entry.help, "value": float(metric())}


class _IdleCounter(Counter):
    """Counts nothing."""

    __slots__ = ()

    def add(self, number: int) -> None:
        """Do nothing."""


class _IdleHistogram(Histogram):
    """Measures nothing."""

    __slots__ = ()

    def record(self, value: float) -> None:
        """Do nothing."""

    def record_all(self, values: Sequence[float]) -> None:
        """Do nothing."""


class _Nothing(Registry):
    """The registry of a node whose statistics are switched off."""

    enabled = False

    def counter(self, name: str, text: str) -> Counter:  # noqa: ARG002 (the same for all)
        """Return a counter that stays at 0."""
        return _IdleCounter()

    def histogram(self, name: str, text: str) -> Histogram:  # noqa: ARG002 (the same for all)
        """Return a histogram that stays empty."""
        return _IdleHistogram()

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show nothing."""


NOTHING: Registry = _Nothing()
"""Stands in for a registry where nobody wants statistics. It has no state."""


def registry_for(config: Config) -> Registry:
    """Return the registry of a node with this configuration, made here once."""
    return Registry() if config.value(StatsOptions.enabled) else NOTHING
