"""What to try: schedulers, strategies and clusters, and the figures of each."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, NamedTuple, cast

from concurrent_framework.model.errors import ConcurrentError, UsageError
from concurrent_framework.model.resources import Capacity
from concurrent_framework.rehearsal.stage import Stage
from concurrent_framework.scheduling.base import ITaskScheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.components import ComponentManager
    from concurrent_framework.rehearsal.figures import Figures
    from concurrent_framework.rehearsal.stage import Network
    from concurrent_framework.rehearsal.workload import Helper, Workload
    from concurrent_framework.scheduling.base import Placement, Request, WorkerView


class Variant(NamedTuple):
    """One thing to try.

    Args:
        scheduler: its name.
        strategy: its name; empty for a scheduler that has none.
        helpers: the workers.

    """

    scheduler: str
    strategy: str
    helpers: tuple[Helper, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return self.strategy or self.scheduler


class Watched:
    """A scheduler whose mistakes are told as such, instead of spoiling the simulation.

    Args:
        scheduler: the real one.
        title: what people call it.

    """

    def __init__(self, scheduler: ITaskScheduler, title: str) -> None:
        self._scheduler = scheduler
        self._title = title
        self.pattern = scheduler.pattern

    def room(self, share: float, seconds: float | None, worker: WorkerView, credit: int) -> int:
        """As `ITaskScheduler.room`."""
        try:
            return self._scheduler.room(share, seconds, worker, credit)
        except Exception as error:
            raise self._complaint(error) from error

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """As `ITaskScheduler.place`.

        Raises:
            UsageError: it raises, or places what it must not.

        """
        try:
            placements = list(self._scheduler.place(request, workers))
        except Exception as error:
            raise self._complaint(error) from error
        rooms = {worker.number: worker.room for worker in workers}
        for number, tasks in placements:
            room = rooms.get(number, 0)
            if not 0 < tasks <= room:
                message = (
                    f"{self._title} places {tasks} tasks on worker {number}, which has room for"
                    f" {room}: see IScheduleStrategy.place"
                )
                raise UsageError(message)
            rooms[number] -= tasks
        if sum(tasks for _, tasks in placements) > request.tasks:
            message = f"{self._title} places more than the {request.tasks} tasks it was asked for"
            raise UsageError(message)
        return placements

    def _complaint(self, error: Exception) -> ConcurrentError:
        if isinstance(error, ConcurrentError):
            return error
        place = traceback.extract_tb(error.__traceback__)[-1]
        return UsageError(
            f"{self._title} has raised {type(error).__name__}: {error}"
            f" ({place.filename}, line {place.lineno})"
        )


def resized(
    helpers: Sequence[Helper], workers: int | None, executors: int | None
) -> tuple[Helper, ...]:
    """Return so many workers like the recorded ones, taken in turn, with so many executors each.

    Args:
        helpers: the recorded workers.
        workers: how many to return, None for all as they were.
        executors: how many each has, None for as many as recorded; its cpus grow or shrink alike.

    """
    chosen = list(helpers)
    if workers is not None:
        chosen = [
            one._replace(name=one.name if place < len(helpers) else f"{one.name}/{place}")
            for place, one in ((place, helpers[place % len(helpers)]) for place in range(workers))
        ]
    if executors is None:
        return tuple(chosen)
    found = []
    for one in chosen:
        old = one.capacity
        cpus = old.cpus * executors / max(old.executors, 1)
        capacity = Capacity(executors, cpus, old.memory, old.gpus, old.labels)
        found.append(one._replace(capacity=capacity))
    return tuple(found)


def rehearse(
    workload: Workload,
    variant: Variant,
    network: Network,
    components: ComponentManager,
    progress: Callable[[int], None],
    *,
    at_start: bool = False,
) -> Figures:
    """Simulate a variant.

    Args:
        workload: what there is to do.
        variant: what to try.
        network: what lies between master and workers.
        components: where its scheduler and strategy are found, configured and not used yet.
        progress: told how many tasks are through.
        at_start: whether all that was pushed comes at once.

    Raises:
        UsageError: there is no such scheduler or strategy, it makes mistakes, or it leaves tasks over.

    """
    scheduler = components.get(ITaskScheduler, variant.scheduler)
    watched = cast("ITaskScheduler", Watched(scheduler, variant.title))
    stage = Stage(workload, watched, variant.helpers, network, at_start=at_start)
    return stage.run(progress)
