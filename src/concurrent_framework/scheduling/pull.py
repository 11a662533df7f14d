"""Polling work: workers ask when they have room, and are served in the order of asking. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from concurrent_framework.components import Component, implements
from concurrent_framework.scheduling import depth
from concurrent_framework.scheduling.base import ITaskScheduler, Placement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.scheduling.base import Request, WorkerView


class PullScheduler(Component):
    """Gives each worker what it asked for, as far as its executors can take it."""

    implements(ITaskScheduler)
    name = "pull"
    pattern: ClassVar[Literal["push", "pull"]] = "pull"

    def room(self, share: float, seconds: float | None, worker: WorkerView, credit: int) -> int:
        """Return what the worker asked for, bounded by `depth` for tasks it knows nothing of."""
        return min(credit, depth.room(worker, share, seconds))

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Serve whoever asked first."""
        left = request.tasks
        placements = []
        for worker in sorted(workers, key=lambda view: view.asked):
            count = min(left, worker.room)
            placements.append(Placement(worker.number, count))
            left -= count
            if not left:
                break
        return placements
