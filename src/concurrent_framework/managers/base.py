"""What a worker needs of whatever executes its tasks: processes here, Dask, Ray, another master.

The contract:

- every task that was submitted is reported exactly once, as an outcome or as given back by `recall`;
- a task that was lost with what ran it is an outcome whose failure has the kind ``worker_lost``;
- a manager never blocks: it works inside `collect`, which is called when one of its pollables is
  readable or its deadline has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework.components import Interface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework.model.resources import Capacity
    from concurrent_framework.protocol.forking import Forker
    from concurrent_framework.protocol.tasks import (
        Assigned,
        Outcome,
        OutputLine,
        ProgressNote,
        SpecEntry,
        TaskCheckpoint,
    )


class ManagerContext(NamedTuple):
    """What the worker gives its manager at the start.

    Args:
        worker: the worker's name.
        directory: a private directory.
        forker: the template process, for managers that fork.

    """

    worker: str
    directory: Path
    forker: Forker


class Report(NamedTuple):
    """What happened since the last `collect`; of a task's checkpoints, the newest is the last."""

    outcomes: list[Outcome]
    output: list[OutputLine]
    notes: list[ProgressNote]
    capacity: Capacity | None = None
    checkpoints: Sequence[TaskCheckpoint] = ()


class ITaskManager(Interface):
    """Executes tasks for a worker."""

    def start(self, context: ManagerContext) -> Capacity:
        """Get ready to run tasks; return what this manager offers."""

    def load(self, specs: Sequence[SpecEntry], paths: dict[str, Path]) -> None:
        """Learn specs, and under which path the code of a digest lies on this machine."""

    def submit(self, tasks: Sequence[Assigned], now: float) -> None:
        """Run these; `now` is monotonic time in seconds, as everywhere in this interface."""

    def recall(self, limit: int, now: float) -> list[tuple[int, int]]:
        """Give back up to `limit` tasks that have surely not started, as (key, attempt)."""

    def cancel(self, tasks: Sequence[tuple[int, int]], now: float) -> None:
        """Stop these; each is still reported, as cancelled unless it was finished before."""

    def forget(self, application: int) -> None:
        """Stop and drop everything of an application, unreported."""

    def pollables(self) -> Sequence[Any]:
        """Return file descriptors that become readable when `collect` has something to do."""

    def deadline(self, now: float) -> float | None:
        """Return when `collect` must be called even if nothing is readable; None if never."""

    def collect(self, now: float) -> Report:
        """Do what is due and return what happened."""

    def stop(self) -> None:
        """End everything at once; nothing is reported any more."""
