"""What a task costs with more and more workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.own.crowd import cost
from benchmarks.own.measure import TITLES, OwnFound

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKERS = (1, 2, 10, 100, 1000)
TASKS = 100_000
FEW_TASKS = 2_000


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the costs."""
    points, rows = [], []
    for count in WORKERS[:3] if quick else WORKERS:
        found = cost(FEW_TASKS if quick else TASKS, count, settings, pending_first=False)
        points.append((float(count), found.master))
        growth = found.master / points[min(len(points), 2) - 1][1]
        rows.append((f"{count:,}", f"{found.master:.1f}", f"{found.wall:.1f}", f"{growth:.2f}"))
    return OwnFound(
        "workers",
        TITLES["workers"],
        "Simulated workers with two executors each: real cores and sockets in one process, and tasks "
        "that take no time. The growth is against two workers.",
        ("workers", "master's processor time, us/task", "time of day, us/task", "growth"),
        rows,
        points,
    )
