"""Applications that keep what they were told, for tests to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework import ApplicationNode, IApp, Task, TaskError, implements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Told(NamedTuple):
    """One call of `task_finished`."""

    task: Any
    result: Any
    error: TaskError | None


class Recorder(ApplicationNode):
    """Pushes tasks and keeps what comes of them.

    Args:
        tasks: pushed at the start, each by itself.
        on_progress: called with the application and a task when that says how far it has come.

    """

    implements(IApp)
    exit_code = -1

    def __init__(
        self,
        tasks: Iterable[Task] = (),
        on_progress: Callable[[Recorder, Any, str], None] | None = None,
    ) -> None:
        self.tasks = list(tasks)
        self.on_progress = on_progress
        self.told: list[Told] = []
        self.lost: list[tuple[str, int, str]] = []

    def start_processing(self) -> None:
        for task in self.tasks:
            self.push_task(task)

    def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
        self.told.append(Told(task, result, error))

    def task_progress(self, task: Any, done: float, total: float, message: str) -> None:
        if self.on_progress is not None:
            self.on_progress(self, task, message)

    def node_lost(self, worker: str, tasks: int, reason: str) -> None:
        self.lost.append((worker, tasks, reason))

    def of(self, task: Task) -> Told:
        """Return what was told of a task; exactly once, or this fails."""
        (told,) = [one for one in self.told if one.task is task]
        return told

    def error_of(self, task: Task) -> TaskError:
        """Return the error of a task."""
        error = self.of(task).error
        assert error is not None, f"{task!r} has the result {self.of(task).result!r}"
        return error

    def results(self) -> list[Any]:
        """Return the results in the order of the tasks; no task may have failed."""
        errors = [one.error for one in self.told if one.error is not None]
        assert not errors, errors
        return [self.of(task).result for task in self.tasks]
