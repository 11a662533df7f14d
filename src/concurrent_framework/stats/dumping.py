"""Writing the statistics into a node's log now and then, for whoever reads it later."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from concurrent_framework.stats.registry import StatsOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from logging import Logger

    from concurrent_framework.config import Config
    from concurrent_framework.stats.registry import Registry

SHOWN = ("value", "count", "rate", "mean", "p50", "p95", "p99", "max")


@contextmanager
def dumping(stats: Registry, config: Config, log: Logger) -> Iterator[None]:
    """Write the statistics every ``stats.dump_interval`` seconds while the block runs.

    Args:
        stats: what is written; reading it needs no consent of the thread that records.
        config: the node's.
        log: where to.

    """
    interval = config.value(StatsOptions.dump_interval)
    if not interval or not stats.enabled:
        yield
        return
    ended = threading.Event()

    def dump() -> None:
        while not ended.wait(interval):
            write(stats, log)

    thread = threading.Thread(target=dump, name="concurrent-stats", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def write(stats: Registry, log: Logger) -> None:
    """Write every statistic as a line of its own."""
    for name, one in stats.snapshot().items():
        extra = {"kind": "statistics.told", "ids": {"statistic": name, **_figures(one)}}
        shown = " ".join(f"{key}={value:.6g}" for key, value in _figures(one).items())
        log.info("%s %s", name, shown, extra=extra)


def _figures(one: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one[key] for key in SHOWN if key in one}
