"""Minimum effective task granularity, as Task Bench (Slaughter et al., SC20) defines it.

Tasks burn processor time, not time of day: a task that was preempted is not done. The efficiency of
tasks of some length is the work they did, divided by what the executors could have done meanwhile.
METG(50%) is the shortest task at which that is one half.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import TYPE_CHECKING

from benchmarks.measures.idle import attainable
from benchmarks.measures.measure import Effort, Figures, Measure, Shown
from benchmarks.measures.sizing import sized
from benchmarks.peer import EXECUTORS
from benchmarks.workloads import burn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peer import Peer

LONGEST = 0.4
SHORTEST = 2e-6
LOW, HIGH = 0.5, 0.9
MOST_TASKS = 50_000
LEAST_TASKS = 24


async def work(peer: Peer, effort: Effort) -> Figures:
    """Return both granularities in milliseconds, where found, and the curve."""
    count, seconds = await sized(
        lambda count: peer.calls(burn, [0.0] * count), effort.budget / 2, limit=MOST_TASKS
    )
    cost = seconds / count
    points: dict[float, float] = {}
    length = max(cost, SHORTEST)
    while length <= LONGEST:
        points[length] = await _efficiency(peer, length, cost, effort.budget)
        if points[length] >= HIGH + 0.02:
            break
        length *= 2
    length = min(points) / 2
    while min(points.items())[1] > LOW and length >= SHORTEST:
        points[length] = await _efficiency(peer, length, cost, effort.budget)
        length /= 2
    curve = sorted(points.items())
    figures: Figures = {"curve": [[length * 1e3, value] for length, value in curve]}
    for name, goal in (("half", LOW), ("most", HIGH)):
        found = crossing(curve, goal)
        if found is not None:
            figures[name] = found * 1e3
    return figures


async def _efficiency(peer: Peer, length: float, cost: float, budget: float) -> float:
    count = int(budget / max(cost, length / EXECUTORS))
    count = max(LEAST_TASKS, min(MOST_TASKS, count))
    processors = attainable(min(0.2, budget / 4))
    seconds = await peer.calls(burn, [length] * count)
    return count * length / (seconds * processors)


def crossing(curve: Sequence[tuple[float, float]], goal: float) -> float | None:
    """Return where the efficiency last rises to `goal`; None if it never does or always is there.

    Args:
        curve: lengths of tasks with their efficiency, ascending.
        goal: the efficiency, between 0 and 1.

    """
    for (short, below), (long, above) in reversed(list(pairwise(curve))):
        if below < goal <= above:
            share = (goal - below) / (above - below)
            return exp(log(short) + share * (log(long) - log(short)))
    return None


MEASURE = Measure(
    "metg",
    "Minimum effective task granularity",
    "Tasks that burn processor time, of lengths from a few microseconds up; the shortest at which "
    "half (90 %) of the two processors' time is work. On a machine with other work, the time that "
    "two bare processes get at that moment counts as all there is.",
    (Shown("half", "METG(50%)", "ms", "less"), Shown("most", "METG(90%)", "ms", "less")),
    work,
)
