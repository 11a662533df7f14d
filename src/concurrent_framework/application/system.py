"""Task systems: control logic that travels to the master's side and decides there."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from concurrent_framework.components import Interface
from concurrent_framework.model.errors import TaskError, UsageError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    from concurrent_framework.application.arrays import TaskArray
    from concurrent_framework.application.stats import ApplicationStats
    from concurrent_framework.tasks.shared import Shared
    from concurrent_framework.tasks.task import Task


class SystemMaster(Protocol):
    """What a task system may ask of the master; handed to each of its methods."""

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines appear in the application's log."""

    @property
    def stats(self) -> ApplicationStats:
        """Counters of the system's tasks, and the size of the swarm."""

    @property
    def workers(self) -> int:
        """How many workers the swarm has now."""

    @property
    def executors(self) -> int:
        """How many tasks the swarm can run at a time now."""

    @property
    def outstanding(self) -> int:
        """How many tasks have not ended yet; a generator that is not exhausted counts as one more."""

    @property
    def exhausted(self) -> bool:
        """Whether everything that generators had to give has been drawn."""

    def push_task(self, task: Task) -> None:
        """Push a task; the system's `task_finished` follows."""

    def push_tasks(self, tasks: Iterable[Task]) -> None:
        """Push what an iterable yields, drawn lazily as the swarm needs it."""

    def push_map(
        self,
        function: Callable[[Any], Any],
        iterable: Iterable[Any],
        *,
        collect: bool = False,
        **options: Any,
    ) -> TaskArray:
        """Call a function with each item of an iterable; see `ApplicationNode.push_map`."""

    def share(self, value: Any) -> Shared:
        """Return a reference to an object; see `ApplicationNode.share`."""

    def cancel(self, what: Any = None) -> None:
        """Cancel a task, an array, an iterable of tasks, or with None all, generators included."""

    def progress(self, done: float, total: float = 1.0, message: str = "") -> None:
        """Tell the application how far the system has come: `done` of `total`."""

    def checkpoint(self) -> None:
        """Have the system's state kept as soon as the running method returns.

        That happens by itself every second or so; ask for it after something that must not be done
        twice.
        """


class ITaskSystem(Interface):
    """What a task system does, in the order in which it is called. Each may be ``async def``."""

    def init_system(self, master: SystemMaster) -> Any:
        """Get ready, on the master's side."""

    def generate_tasks(self, master: SystemMaster) -> Any:
        """Return the first tasks: a list, or a generator that is drawn lazily."""

    def task_finished(
        self, master: SystemMaster, task: Any, result: Any, error: TaskError | None
    ) -> Any:
        """Learn what came of a task; may push further ones, or return them."""

    def is_complete(self, master: SystemMaster) -> Any:
        """Whether the system has what it wants; asked after each batch of outcomes."""

    def gather_result(self, master: SystemMaster) -> Any:
        """Return the system's result, which the application's `work_finished` is given."""


METHODS = ("init_system", "generate_tasks", "task_finished", "is_complete", "gather_result")


class TaskSystem:
    """Control logic that decides on the master's side which tasks to make and when it is complete.

    ``__init__`` runs in the application. Then the instance travels, as a task does, to a process on
    the master's machine, where the other methods are called one at a time. It goes on there when
    the application ends, if that was started with ``--detach``. When it is complete, the instance in
    the application gets the attributes it has then, as far as they can be pickled.

    If its host dies, the system goes on in another one from its last checkpoint: its state, pickled
    between two calls every second or so. It is told again what it was told after that, and what it
    pushed after that is undone. Attributes that cannot be pickled prevent this; leave them out in
    ``__getstate__`` and make them anew in ``__setstate__``. `init_system` is not called again.

    What a method raises ends the system: the application's `work_failed` is told, with the
    traceback.

    Attributes:
        name: how people see the system; the class's name if empty.
        system_id: its number in its application; None until it is pushed.

    Example:
        >>> from concurrent_framework import Task, TaskSystem
        >>> class Square(Task):
        ...     def __init__(self, number):
        ...         super().__init__(f"square of {number}")
        ...         self.number = number
        ...     def __call__(self):
        ...         return self.number**2
        >>> class SumOfSquares(TaskSystem):
        ...     def __init__(self, numbers):
        ...         self.numbers = numbers
        ...         self.total = 0
        ...     def generate_tasks(self, master):
        ...         return (Square(number) for number in self.numbers)
        ...     def task_finished(self, master, task, result, error):
        ...         if error:
        ...             raise error
        ...         self.total += result
        ...     def gather_result(self, master):
        ...         return self.total

    """

    name: str = ""
    system_id: int | None = None

    def init_system(self, master: SystemMaster) -> Any:
        """Get ready, on the master's side; called first."""

    def generate_tasks(self, master: SystemMaster) -> Any:
        """Return the first tasks: a list, or a generator, which is drawn as the swarm needs it."""

    def resume_tasks(self, master: SystemMaster, drawn: int) -> Any:
        """Return the tasks that `generate_tasks` had not given when the state was taken down.

        Called on a system that was restored from a checkpoint, unless there were no more. The
        default calls `generate_tasks` again and skips what was drawn. That is right as long as the
        restored system yields the same tasks in the same order; override it where it does not, or
        where a place in the sequence can be found more quickly.

        Args:
            master: what may be asked of the master.
            drawn: how many tasks had been drawn.

        """
        tasks = self.generate_tasks(master)
        return _rest_of(tasks, drawn) if hasattr(tasks, "__await__") else islice(tasks, drawn, None)

    def task_finished(
        self,
        master: SystemMaster,  # noqa: ARG002 (for those who override it)
        task: Any,  # noqa: ARG002 (likewise)
        result: Any,  # noqa: ARG002 (likewise)
        error: TaskError | None,
    ) -> Any:
        """Learn what came of a task.

        Args:
            master: what may be asked of the master.
            task: the instance that was pushed, with the attributes that it bound anew.
            result: what its `__call__` returned; None if there is an error.
            error: why there is no result; None on success. The default raises it.

        Returns:
            None, a task, or an iterable of tasks to push next.

        """
        if error is not None:
            raise error

    def map_finished(
        self,
        master: SystemMaster,  # noqa: ARG002 (for those who override it)
        array: TaskArray,  # noqa: ARG002 (likewise)
        first: int,  # noqa: ARG002 (likewise)
        results: list[Any],
    ) -> Any:
        """Learn what came of some items of an array.

        Args:
            master: what may be asked of the master.
            array: what ``master.push_map`` returned.
            first: index of the first of these items; they follow one another in the iterable.
            results: what the function returned for each, a `TaskError` where there is nothing. The
                default raises the first of those.

        Returns:
            None, a task, or an iterable of tasks to push next.

        """
        for result in results:
            if isinstance(result, TaskError):
                raise result

    def array_finished(self, master: SystemMaster, array: TaskArray) -> Any:
        """Learn that every item of an array has ended; may return tasks too."""

    def is_complete(self, master: SystemMaster) -> Any:
        """Whether the system has what it wants; what is still under way is then cancelled.

        The default waits until every task has ended and no generator has anything left.
        """
        return master.exhausted and not master.outstanding

    def gather_result(self, master: SystemMaster) -> Any:
        """Return the result; called once, when the system is complete."""


async def _rest_of(tasks: Any, drawn: int) -> Any:
    return islice(await tasks, drawn, None)


def check_system(system: Any) -> None:
    """Raise UsageError if something is no task system, naming what is missing."""
    missing = [name for name in METHODS if not callable(getattr(system, name, None))]
    if isinstance(system, type):
        message = f"{system.__name__} is a class: push an instance, {system.__name__}(…)"
        raise UsageError(message)
    if missing:
        message = (
            f"{system!r:.200} is no task system: it has no {', '.join(missing)}; "
            "derive its class from TaskSystem"
        )
        raise UsageError(message)
