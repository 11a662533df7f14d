"""Results of 1 MiB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.measures.sizing import sized
from benchmarks.workloads import MEBIBYTE, mebibyte

if TYPE_CHECKING:
    from benchmarks.peer import Peer

LIMIT = 1000
"""All results are kept until the last has come, which should fit into memory."""


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return megabytes per second."""
    count, seconds = await sized(
        lambda count: peer.calls(mebibyte, range(count)), effort.budget, start=8, limit=LIMIT
    )
    return {"rate": count * MEBIBYTE / seconds / 1e6, "tasks": count}


MEASURE = Measure(
    "results",
    "Results of 1 MiB",
    "Each task returns 1 MiB.",
    (Shown("rate", "results", "MB/s", "more"),),
    work,
)
