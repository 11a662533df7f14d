"""A scheduler whose placements are measured."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.stats.registry import Registry


class MeasuredScheduler:
    """Places tasks as another one does, and measures how long that takes and for how many tasks.

    Args:
        scheduler: an `ITaskScheduler`.
        stats: where it is measured.

    """

    def __init__(self, scheduler: Any, stats: Registry) -> None:
        self.pattern = scheduler.pattern
        self.room = scheduler.room
        self._place = scheduler.place
        self._seconds = stats.histogram("scheduler.place_seconds", "Time to place alike tasks.")
        self._tasks = stats.counter("scheduler.tasks", "Tasks handed out.")

    def place(self, request: Any, workers: Sequence[Any]) -> Any:
        """Place tasks."""
        start = perf_counter()
        found = self._place(request, workers)
        self._seconds.record(perf_counter() - start)
        self._tasks.add(sum(one.tasks for one in found))
        return found
