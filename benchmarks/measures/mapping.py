"""Many calls of one function through the interface that a system has for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.measures.sizing import throughput
from benchmarks.workloads import nothing

if TYPE_CHECKING:
    from benchmarks.peer import Peer

LIMIT = 4_000_000


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return calls per second."""
    return await throughput(lambda count: peer.map(nothing, range(count)), effort.budget, LIMIT)


MEASURE = Measure(
    "map",
    "Map",
    "A function that does nothing is mapped over a range, in chunks where a system has them.",
    (Shown("rate", "calls", "calls/s", "more"),),
    work,
)
