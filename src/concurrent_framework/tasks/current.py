"""`current_task()`: what a running task can ask of, and tell, the swarm."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from concurrent_framework.model.errors import UsageError
from concurrent_framework.protocol.tasks import MAX_CHECKPOINT_BYTES
from concurrent_framework.tasks.payload import dump_checkpoint, load_checkpoint
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from concurrent_framework.tasks.payload import Buffer


class TaskSink(Protocol):
    """What the executor offers to the task it runs; one sink may serve one task after another."""

    def push(self, task: Task) -> None:
        """Take a task that the running task makes; it exists if the running task succeeds."""

    def progress(self, done: float, total: float, message: str) -> None:
        """Take how far the running task has come."""

    def log(self, level: str, text: str) -> None:
        """Take a line for the application's log; `level` is a logging level in lower case."""

    def cancelled(self) -> bool:
        """Whether somebody has cancelled the running task."""

    def scratch(self) -> Path:
        """Return a directory of the running task's own, made at the first call."""

    def checkpoint(self, state: bytes) -> None:
        """Take the pickled state that another attempt of the running task would go on from."""

    def restored(self) -> Buffer:
        """Return the checkpoint the running attempt goes on from, empty if there is none."""


class CurrentTask:
    """The running task's connection to the swarm; `current_task` returns it."""

    def __init__(self, sink: TaskSink) -> None:
        self._sink = sink
        self._of_many = False

    def push_task(self, task: Task) -> None:
        """Make a further task. It is submitted when the running task has succeeded.

        Raises:
            UsageError: if it is no `Task`.
            NotSerializable: if it holds something that cannot be pickled.

        """
        if not isinstance(task, Task):
            message = f"push_task takes a Task, not {task!r}"
            raise UsageError(message)
        self._sink.push(task)

    def push_tasks(self, tasks: Iterable[Task]) -> None:
        """Make further tasks; see `push_task`."""
        for task in tasks:
            self.push_task(task)

    def progress(self, done: float, total: float = 1.0, message: str = "") -> None:
        """Tell how far the task has come: `done` of `total`, both finite and not negative."""
        if not (isfinite(done) and isfinite(total) and done >= 0 and total >= 0):
            text = f"progress({done!r}, {total!r}): both must be finite numbers >= 0"
            raise UsageError(text)
        self._sink.progress(done, total, message)

    @property
    def cancelled(self) -> bool:
        """Whether somebody has cancelled the task.

        A long task may look from time to time and return early; one that does not is stopped.
        """
        return self._sink.cancelled()

    @cached_property
    def log(self) -> logging.Logger:
        """A logger whose lines appear in the application's log."""
        import logging

        sink = self._sink

        class Forward(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                sink.log(record.levelname.lower(), self.format(record))

        logger = logging.Logger("task", logging.DEBUG)  # noqa: LOG001 (of this process's task only)
        logger.addHandler(Forward())
        return logger

    @property
    def scratch(self) -> Path:
        """A directory of the task's own on the worker; it is removed after the task."""
        return self._sink.scratch()

    def checkpoint(self, state: object) -> None:
        """Keep a state that the task goes on from should this attempt be lost.

        It leaves the worker at once, or a fraction of a second later if there are many: then the
        newest counts. When the worker or the process is lost, or the task is retried for another
        reason, the next attempt finds it in `restored`. It is dropped when the task ends.

        Args:
            state: what the task needs to go on, anything that can be pickled, up to 16 MiB. Larger
                things belong in a file that every worker can reach, with its name kept here.

        Raises:
            NotSerializable: naming the part of it that cannot be pickled.
            UsageError: if it is too large, or the task is an item of an array.

        Example:
            >>> class Sum(Task):
            ...     def __call__(self):
            ...         here = current_task()
            ...         start, total = here.restored or (0, 0)
            ...         for number in range(start, 1000):
            ...             total += number
            ...             if number % 100 == 0:
            ...                 here.checkpoint((number + 1, total))
            ...         return total

        """
        if self._of_many:
            message = "checkpoint: the items of push_map have none; push_tasks makes a task of each"
            raise UsageError(message)
        data = dump_checkpoint(state)
        if len(data) > MAX_CHECKPOINT_BYTES:
            message = (
                f"checkpoint: the state takes {len(data) / 2**20:.1f} MiB, "
                f"{MAX_CHECKPOINT_BYTES >> 20} MiB at most: write it to a file that every worker "
                "can reach, and keep the name of that"
            )
            raise UsageError(message)
        self._sink.checkpoint(data)

    @contextmanager
    def calling_many(self) -> Iterator[None]:
        """Refuse checkpoints within this context, since none of many calls could say which it is."""
        self._of_many = True
        try:
            yield
        finally:
            self._of_many = False

    @property
    def restored(self) -> Any:
        """The last state an earlier attempt gave to `checkpoint`, rebuilt; None if there is none.

        Raises:
            NotSerializable: if it cannot be rebuilt here, for instance because a module is missing.

        """
        state = self._sink.restored()
        return load_checkpoint(state) if state else None


_running: ContextVar[CurrentTask] = ContextVar("concurrent_framework.current_task")


def current_task() -> CurrentTask:
    """Return the connection of the task that is running here to the swarm.

    Raises:
        UsageError: outside a running task, and in a thread that a task started: there, call it
            before the thread is started, and hand the result over.

    Example:
        >>> class Walk(Task):
        ...     def __call__(self):
        ...         for step in range(100):
        ...             current_task().progress(step, 100)

    """
    try:
        return _running.get()
    except LookupError:
        message = (
            "current_task() works only while a task runs on a worker, in the thread that runs it; "
            "in a thread of your own, use what it returned before that thread was started"
        )
        raise UsageError(message) from None


@contextmanager
def running(current: CurrentTask) -> Iterator[None]:
    """Make `current_task` return `current` within this context; the executor's business."""
    token = _running.set(current)
    try:
        yield
    finally:
        _running.reset(token)
