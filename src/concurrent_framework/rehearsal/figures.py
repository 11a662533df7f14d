"""How well it went: makespan, utilisation, and how long tasks waited. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.rehearsal.workload import Workload

INSTANT = 1e-9
"""What a run without any length took."""


class Waits(NamedTuple):
    """Seconds from the arrival of tasks to their start: the mean, and what so many percent stay below."""

    mean: float
    p50: float
    p95: float
    p99: float
    longest: float


class Figures(NamedTuple):
    """What is told of a run, simulated or recorded.

    Args:
        makespan: seconds from the first arrival until the master has the last outcome.
        utilisation: share of the executors' time in which they ran tasks, 0 to 1.
        throughput: tasks per second of the makespan.
        waits: how long tasks waited.
        moved: bytes of shared objects that were sent to workers; None if that is not known.
        busiest: utilisation of the worker that ran the most.
        idlest: utilisation of the one that ran the least.

    """

    makespan: float
    utilisation: float
    throughput: float
    waits: Waits
    moved: int | None
    busiest: float
    idlest: float


def waits_of(seconds: Sequence[float]) -> Waits:
    """Return how tasks waited; there is at least one.

    Example:
        >>> waits_of([0.0, 1.0, 2.0, 3.0])
        Waits(mean=1.5, p50=1.0, p95=3.0, p99=3.0, longest=3.0)

    """
    ordered = sorted(seconds)

    def below(share: float) -> float:
        return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]

    mean = sum(ordered) / len(ordered)
    return Waits(mean, below(0.50), below(0.95), below(0.99), ordered[-1])


def figures_of(
    makespan: float,
    busy: Sequence[float],
    executors: Sequence[int],
    waits: Sequence[float],
    moved: int | None,
) -> Figures:
    """Return the figures of a run.

    Args:
        makespan: its length in seconds, > 0.
        busy: of each worker, for how many seconds its executors ran tasks, together.
        executors: of each worker, how many it has.
        waits: of each task, how many seconds it waited.
        moved: bytes of shared objects that were sent, None if unknown.

    """
    shares = [
        seconds / (count * makespan)
        for seconds, count in zip(busy, executors, strict=True)
        if count
    ]
    return Figures(
        makespan,
        sum(busy) / (sum(executors) * makespan),
        len(waits) / makespan,
        waits_of(waits),
        moved,
        max(shares),
        min(shares),
    )


def recorded_figures(workload: Workload) -> Figures | None:
    """Return the figures of the recorded run itself; None if it does not tell when tasks ended."""
    busy = [0.0] * len(workload.helpers)
    waits, last = [], 0.0
    for job in workload.jobs:
        if job.ended is None:
            return None
        helper = workload.helpers[job.helper]
        busy[job.helper] += job.seconds * helper.occupied_by(workload.kinds[job.kind].resources)
        waits.append(max(job.ended - job.seconds - job.arrival, 0.0))
        last = max(last, job.ended)
    executors = [helper.capacity.executors for helper in workload.helpers]
    return figures_of(max(last, INSTANT), busy, executors, waits, None)
