"""What a task costs while more and more tasks are pending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.own.crowd import cost
from benchmarks.own.measure import TITLES, OwnFound

if TYPE_CHECKING:
    from collections.abc import Sequence

PENDING = (1_000, 10_000, 100_000, 1_000_000)
WORKERS = 4


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the costs."""
    points, rows = [], []
    for count in PENDING[:2] if quick else PENDING:
        found = cost(count, WORKERS, settings, pending_first=True)
        points.append((float(count), found.master))
        growth = found.master / points[0][1]
        rows.append((f"{count:,}", f"{found.master:.1f}", f"{found.wall:.1f}", f"{growth:.2f}"))
    return OwnFound(
        "pending",
        TITLES["pending"],
        "All tasks are pushed one by one before the first worker comes; then "
        f"{WORKERS} simulated workers, whose tasks take no time, drain the queue over real sockets. "
        "The time of day holds the start of the workers, which shows where tasks are few.",
        ("pending tasks", "master's processor time, us/task", "time of day, us/task", "growth"),
        rows,
        points,
    )
