"""The schedulers' and strategies' interfaces, and the snapshots they decide on. PURE.

A strategy never changes what it is given and never sends: snapshot in, placements out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from concurrent_framework.components import Interface
from concurrent_framework.scheduling.depth import DEPTH_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.model.resources import Resources


class WorkerView(NamedTuple):
    """A worker that has room for a request.

    Args:
        number: its identity.
        room: tasks of the request that it can take now, >= 1.
        executors: tasks it runs at a time.
        occupied: executors' shares in use by what it has.
        load: measured run time of what it has, seconds over all executors.
        speed: how fast it runs tasks, 1 being the swarm's average.
        asked: order in which it asked for work (pull); 0 if it did not.
        holds: how many bytes of the request's shared data it has.
        lengthy: the part of `occupied` that is of tasks not known to be brief; as many as there are
            executors if nothing may wait on this worker.
        crowd: the part that is of brief ones, as far as one must wait for them: see `depth.crowding`.
        depth: run time that the work on it should cover, seconds per executor.

    """

    number: int
    room: int
    executors: int
    occupied: float
    load: float
    speed: float = 1.0
    asked: int = 0
    holds: int = 0
    lengthy: float = 0.0
    crowd: float = 0.0
    depth: float = DEPTH_SECONDS


class Request(NamedTuple):
    """Ready tasks that are alike: how many, what one needs, and its measured run time if known."""

    tasks: int
    need: Resources
    seconds: float | None
    turn: int = 0
    """Counts the placements: all that a strategy needs to take turns or to choose by chance."""


class Placement(NamedTuple):
    """So many of the request's tasks go to this worker."""

    worker: int
    tasks: int


class IScheduleStrategy(Interface):
    """Rates workers: which one should get the next tasks."""

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Spread up to ``request.tasks`` tasks over workers, none beyond its room.

        `workers` is not empty. Placing fewer tasks than there is room for is allowed; the rest waits.
        """


class ITaskScheduler(Interface):
    """Decides in which pattern work reaches the workers: sent to them, or asked for by them."""

    pattern: ClassVar[Literal["push", "pull"]] = "push"

    def room(self, share: float, seconds: float | None, worker: WorkerView, credit: int) -> int:
        """Return how many more tasks a worker may hold.

        Args:
            share: executors' shares that one task takes.
            seconds: measured run time of one task, None if unknown.
            worker: the worker; its `room` is not set yet.
            credit: tasks that the worker has asked for and not been given.

        """

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """As `IScheduleStrategy.place`."""
