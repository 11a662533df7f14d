"""One task at a time: the next is submitted when the result of the last is there."""

from __future__ import annotations

from statistics import quantiles
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.workloads import nothing

if TYPE_CHECKING:
    from benchmarks.peer import Peer

WARM_UP = 30
LEAST = 100
MOST = 5000


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return the median and the 99th percentile of round trips, in milliseconds."""
    for _ in range(WARM_UP):
        await peer.one(nothing, 0)
    times: list[float] = []
    until = perf_counter() + effort.budget
    while len(times) < LEAST or (perf_counter() < until and len(times) < MOST):
        times.append(await peer.one(nothing, 0) * 1e3)
    percentiles = quantiles(times, n=100)
    return {"p50": percentiles[49], "p99": percentiles[98], "tasks": len(times)}


MEASURE = Measure(
    "latency",
    "One task at a time",
    "A task that does nothing is submitted when the result of the one before has arrived.",
    (Shown("p50", "median", "ms", "less"), Shown("p99", "99th percentile", "ms", "less")),
    work,
)
