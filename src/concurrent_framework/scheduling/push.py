"""Sending work: the master rates the workers and sends each task to the best one. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from concurrent_framework.components import Component, implements
from concurrent_framework.config import Option
from concurrent_framework.scheduling import depth
from concurrent_framework.scheduling.base import IScheduleStrategy, ITaskScheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.scheduling.base import Placement, Request, WorkerView


class PushScheduler(Component):
    """Sends tasks as long as a worker's work in flight covers less than its depth."""

    implements(ITaskScheduler)
    name = "push"
    pattern: ClassVar[Literal["push", "pull"]] = "push"

    strategy = Option(
        "master",
        "strategy",
        default="least-loaded",
        selects=IScheduleStrategy,
        doc="Which worker gets a task under push: least-loaded, fastest, locality,"
        " random-of-two, round-robin, or that of a plug-in.",
    )

    def __init__(self, strategy: IScheduleStrategy | None = None) -> None:
        self._strategy = strategy or self.components.get(IScheduleStrategy, self.strategy)

    def room(self, share: float, seconds: float | None, worker: WorkerView, credit: int) -> int:
        """Return what `depth` allows; a worker under push asks for nothing."""
        del credit
        return depth.room(worker, share, seconds)

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Let the strategy decide."""
        return self._strategy.place(request, workers)
