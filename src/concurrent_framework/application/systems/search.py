"""`Search`: many tasks, until one has what is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.application.systems.work import Work, choice, fail
from concurrent_framework.application.systems.working import WorkingSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from concurrent_framework.application.system import SystemMaster
    from concurrent_framework.model.errors import TaskError
    from concurrent_framework.tasks.task import Task


class Search(WorkingSystem):
    """Runs tasks until one of them has what is looked for, and cancels the rest.

    The result is the first hit's result, in the order in which tasks end; None if there is no hit.

    Args:
        work: an iterable of tasks; or a function without arguments that returns one, which is
            called and drawn lazily on the master's side; or, with `inputs`, the function or task
            class to call with each of them.
        predicate: says of a result whether it is a hit; None takes everything but None for one.
        inputs: what to call `work` with, one input a task: an iterable, or a function without
            arguments that returns one.
        on_error: ``raise`` ends the search with the first task's error; ``skip`` counts a failed
            task as no hit.
        name: how people see the system.

    Attributes:
        tried: how many tasks had ended at the end.

    Raises:
        UsageError: for arguments that cannot be.

    Example:
        >>> from concurrent_framework import Search
        >>> def divisor_in(numbers):
        ...     return next((n for n in numbers if 8_051 % n == 0), None)
        >>> parts = [range(start, start + 10) for start in range(2, 90, 10)]
        >>> search = Search(divisor_in, inputs=parts)

    """

    def __init__(
        self,
        work: Iterable[Task] | Callable[..., Any],
        predicate: Callable[[Any], bool] | None = None,
        *,
        inputs: Iterable[Any] | Callable[[], Iterable[Any]] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        name: str = "",
    ) -> None:
        self.name = name or "Search"
        self.work = Work(work, inputs)
        self.predicate = predicate
        self.on_error = choice("on_error", on_error, "raise", "skip")
        self.tried = 0
        self._hit: tuple[Any, ...] = ()

    def task_finished(
        self, master: SystemMaster, task: Task, result: Any, error: TaskError | None
    ) -> None:
        """Look whether this is it."""
        if self._hit:
            return
        if error is not None and self.on_error == "raise":
            fail(task, error)
        self.tried += 1
        if error is None and self._is_hit(result):
            self._hit = (result,)
        master.progress(self.tried, self.work.size)

    def is_complete(self, master: SystemMaster) -> bool:
        """Whether there is a hit, or nothing left to try."""
        return bool(self._hit) or super().is_complete(master)

    def gather_result(self, master: SystemMaster) -> Any:  # noqa: ARG002 (TaskSystem's)
        """Return the hit, None if there is none."""
        return self._hit[0] if self._hit else None

    def _is_hit(self, result: Any) -> bool:
        return result is not None if self.predicate is None else bool(self.predicate(result))
