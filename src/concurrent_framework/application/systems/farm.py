"""`Farm`: many independent tasks, their results in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.application.systems.work import Work, choice, fail
from concurrent_framework.application.systems.working import WorkingSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from concurrent_framework.application.system import SystemMaster
    from concurrent_framework.model.errors import TaskError
    from concurrent_framework.tasks.task import Task

_NONE: Any = ()


class Farm(WorkingSystem):
    """Runs independent tasks and gathers their results.

    The result is a list, or what `combine` made of the results.

    Args:
        work: an iterable of tasks; or a function without arguments that returns one, which is
            called and drawn lazily on the master's side; or, with `inputs`, the function or task
            class to call with each of them.
        inputs: what to call `work` with, one input a task: an iterable, or a function without
            arguments that returns one.
        combine: ``combine(so_far, result)`` folds results as they arrive, in any order, so that
            they need not all be kept. None gathers them in a list, in the order of the tasks.
        initial: what `combine` starts from; the first result if it is not given.
        on_error: ``raise`` ends the system with the first task's error; ``keep`` puts the TaskError
            in the place of the result (`combine` is not called with it).
        name: how people see the system.

    An iterator is read into a list at once, since it cannot travel; give a function that returns
    one if it is long.

    Raises:
        UsageError: for arguments that cannot be.

    Example:
        >>> from concurrent_framework import Farm
        >>> def square(number):
        ...     return number**2
        >>> squares = Farm(square, range(4))
        >>> sum_of_squares = Farm(square, range(4), combine=lambda total, one: total + one)

    """

    def __init__(
        self,
        work: Iterable[Task] | Callable[..., Any],
        inputs: Iterable[Any] | Callable[[], Iterable[Any]] | None = None,
        *,
        combine: Callable[[Any, Any], Any] | None = None,
        initial: Any = _NONE,
        on_error: Literal["raise", "keep"] = "raise",
        name: str = "",
    ) -> None:
        self.name = name or "Farm"
        self.work = Work(work, inputs)
        self.combine = combine
        self.on_error = choice("on_error", on_error, "raise", "keep")
        self._folded: tuple[Any, ...] = () if initial is _NONE else (initial,)
        self._results: dict[int, Any] = {}
        self._ended = 0

    def task_finished(
        self, master: SystemMaster, task: Task, result: Any, error: TaskError | None
    ) -> None:
        """Keep a result, or fold it in."""
        if error is not None and self.on_error == "raise":
            fail(task, error)
        if self.combine is None:
            assert task.task_id is not None
            self._results[task.task_id] = result if error is None else error
        elif error is None:
            self._folded = (self.combine(self._folded[0], result) if self._folded else result,)
        self._ended += 1
        master.progress(self._ended, self.work.size)

    def gather_result(self, master: SystemMaster) -> Any:  # noqa: ARG002 (TaskSystem's)
        """Return the results in the order of the tasks, or what `combine` made of them."""
        if self.combine is not None:
            return self._folded[0] if self._folded else None
        results, self._results = self._results, {}
        return [results[number] for number in sorted(results)]
