"""How many tasks make a measurement last as long as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.measures.measure import Figures

_GROWTH = 20


async def sized(
    call: Callable[[int], Awaitable[float]], budget: float, *, start: int = 16, limit: int = 1 << 20
) -> tuple[int, float]:
    """Return a number of tasks and the seconds they took, after smaller runs to warm up.

    Args:
        call: runs a number of tasks and returns the seconds.
        budget: seconds that the measured run should take.
        start: tasks of the first run.
        limit: tasks at most.

    """
    await call(start)
    count, seconds = start, await call(start)
    while seconds < budget / 4 and count < limit:
        growth = min(_GROWTH, max(2.0, budget / 2 / max(seconds, 1e-6)))
        count = min(limit, int(count * growth))
        seconds = await call(count)
    count = max(1, min(limit, int(count * budget / seconds)))
    return count, await call(count)


async def throughput(call: Callable[[int], Awaitable[float]], budget: float, limit: int) -> Figures:
    """Return how many tasks a second there are of those that `sized` finds."""
    count, seconds = await sized(call, budget, limit=limit)
    return {"rate": count / seconds, "tasks": count}
