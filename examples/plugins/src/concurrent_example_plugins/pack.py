"""A schedule strategy that keeps work together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework import Component, implements
from concurrent_framework.scheduling.base import IScheduleStrategy, Placement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.scheduling.base import Request, WorkerView


class Pack(Component):
    """Fills one worker before the next, so that idle machines can be switched off."""

    implements(IScheduleStrategy)

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Give each worker what it has room for, the busiest first."""
        placements = []
        left = request.tasks
        for worker in sorted(workers, key=_idleness):
            count = min(left, worker.room)
            if not count:
                break
            placements.append(Placement(worker.number, count))
            left -= count
        return placements


def _idleness(worker: WorkerView) -> tuple[float, int]:
    return -worker.occupied / worker.executors, worker.number
