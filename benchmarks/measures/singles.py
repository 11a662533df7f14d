"""Tasks that do nothing, submitted one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.measures.sizing import throughput
from benchmarks.workloads import nothing

if TYPE_CHECKING:
    from benchmarks.peer import Peer

LIMIT = 300_000


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return tasks per second, from the first submission to the last result."""
    return await throughput(lambda count: peer.singles(nothing, range(count)), effort.budget, LIMIT)


MEASURE = Measure(
    "singles",
    "Single submissions",
    "Tasks that do nothing are submitted one by one; the time is that until the last result.",
    (Shown("rate", "tasks", "tasks/s", "more"),),
    work,
)
