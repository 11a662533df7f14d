"""The same 8 MiB for 200 tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.workloads import large_argument, nothing, size_of

if TYPE_CHECKING:
    from benchmarks.peer import Peer

TASKS = 200
FEW_TASKS = 20


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return tasks per second, making the argument available included."""
    data = large_argument()
    await peer.calls(nothing, range(16))
    count = TASKS if effort.budget >= 1 else FEW_TASKS
    return {"rate": count / await peer.shared(size_of, data, count), "tasks": count}


MEASURE = Measure(
    "shared",
    "One argument of 8 MiB for 200 tasks",
    "A NumPy array of 8 MiB is an argument of 200 tasks, shared in the way a system has for it.",
    (Shown("rate", "tasks", "tasks/s", "more"),),
    work,
)
