"""From the start of Python to the first result."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.workloads import nothing

if TYPE_CHECKING:
    from benchmarks.peer import Peer


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return seconds."""
    await peer.one(nothing, 0)
    return {"seconds": monotonic() - effort.began}


MEASURE = Measure(
    "cold",
    "Cold start",
    "From the start of a new Python to the first result, all processes and imports included.",
    (Shown("seconds", "first result", "s", "less"),),
    work,
    start=True,
)
