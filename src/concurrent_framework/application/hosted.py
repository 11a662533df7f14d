"""What a task system sees of the master, inside its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.protocol.tasks import ProgressNote

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    from concurrent_framework.application.arrays import TaskArray
    from concurrent_framework.application.stats import ApplicationStats
    from concurrent_framework.application.system_run import SystemRun
    from concurrent_framework.tasks.shared import Shared
    from concurrent_framework.tasks.task import Task


class HostedMaster:
    """What a task system sees of the master: `SystemMaster` as its host provides it."""

    def __init__(self, run: SystemRun) -> None:
        self._run = run

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines appear in the application's log."""
        return self._run.log

    @property
    def stats(self) -> ApplicationStats:
        """Counters of the system's tasks, and the size of the swarm."""
        return self._run.current_stats()

    @property
    def workers(self) -> int:
        """How many workers the swarm has now."""
        return self._run.host.size[0]

    @property
    def executors(self) -> int:
        """How many tasks the swarm can run at a time now."""
        return self._run.host.size[1]

    @property
    def outstanding(self) -> int:
        """How many tasks have not ended yet; a generator that is not exhausted counts as one more."""
        return self._run.outstanding

    @property
    def exhausted(self) -> bool:
        """Whether everything that generators had to give has been drawn."""
        return not self._run.hungry

    def push_task(self, task: Task) -> None:
        """Push a task; the system's `task_finished` follows."""
        self._run.pushing.push(task)

    def push_tasks(self, tasks: Iterable[Task]) -> None:
        """Push what an iterable yields, drawn lazily as the swarm needs it."""
        self._run.push_tasks(tasks)

    def push_map(
        self,
        function: Callable[[Any], Any],
        iterable: Iterable[Any],
        *,
        collect: bool = False,
        **options: Any,
    ) -> TaskArray:
        """Call a function with each item of an iterable; see `ApplicationNode.push_map`."""
        array = self._run.pushing.push_map(function, iterable, options, collect=collect)
        self._run.host.engine.feed_soon()
        return array

    def share(self, value: Any) -> Shared:
        """Return a reference to an object; see `ApplicationNode.share`."""
        return self._run.pushing.share(value)

    def cancel(self, what: Any = None) -> None:
        """Cancel a task, an array, an iterable of tasks, or with None all, generators included."""
        self._run.cancel(what)

    def checkpoint(self) -> None:
        """Have the system's state kept as soon as the running method returns."""
        self._run.checkpointing.want()

    def progress(self, done: float, total: float = 1.0, message: str = "") -> None:
        """Tell the application how far the system has come: `done` of `total`."""
        self._run.progress(ProgressNote(self._run.key, done, total, message))
