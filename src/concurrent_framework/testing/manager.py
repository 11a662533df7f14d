"""A task manager without processes: it ends each task after the time its payload says."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from concurrent_framework.model.ids import SPEC_MASK, nth_attempt
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.protocol.tasks import NewTask, Outcome, TaskCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry
    from concurrent_framework.testing.clock import FakeClock

FLUSH = 0.0005
"""Seconds for which outcomes are gathered, as an executor does."""


class SimManager:
    """Runs tasks in virtual time. A payload is ``b"seconds"`` or ``b"seconds:result"``.

    The result ``!text`` makes the task fail with that text, ``>n`` makes it make n tasks of its kind,
    ``?N:result`` makes it fail with an error that it may be attempted again after, before its attempt
    N. On a `broken` worker whatever runs a task dies, on a `failing` one every task fails with such an
    error. What runs a task with the result `poison` dies too. With ``b"seconds/every"`` for the seconds
    the task makes a checkpoint after each `every` seconds and goes on from the one it is given.

    Args:
        clock: the virtual time.
        executors: tasks that run at a time.
        report: takes outcomes and checkpoints.

    """

    def __init__(
        self,
        clock: FakeClock,
        executors: int,
        report: Callable[[list[Outcome], list[TaskCheckpoint]], None],
    ) -> None:
        self.started: list[tuple[int, int]] = []
        self.broken = False
        self.failing = False
        self.poison = b""
        self._clock = clock
        self._free = executors
        self._report = report
        self._queue: deque[Assigned] = deque()
        self._running: dict[int, Assigned] = {}
        self._alive = True
        self._ended: list[Outcome] = []

    def submit(self, tasks: Sequence[Assigned]) -> None:
        """Queue tasks and start what there is room for."""
        self._queue.extend(tasks)
        self._start()

    def recall(self, limit: int) -> list[tuple[int, int]]:
        """Give back the last tasks that have not started."""
        back = [self._queue.pop() for _ in range(min(limit, len(self._queue)))]
        return [(task.key, task.attempt) for task in back]

    def cancel(self, tasks: Iterable[tuple[int, int]]) -> None:
        """End these at once as cancelled."""
        wanted = set(tasks)
        ended = [task for task in self._queue if (task.key, task.attempt) in wanted]
        self._queue = deque(one for one in self._queue if (one.key, one.attempt) not in wanted)
        for key, attempt in wanted:
            running = self._running.get(key)
            if running is not None and running.attempt == attempt:
                ended.append(self._running.pop(key))
                self._free += 1
        failure = Failure("cancelled", "TaskCancelled", "cancelled")
        if ended:
            self._report([Outcome(task.key, task.attempt, failure=failure) for task in ended], [])
        self._start()

    def forget(self, application: int) -> None:
        """Drop everything of an application."""
        self._queue = deque(task for task in self._queue if task.key >> 40 != application)
        for key in [key for key in self._running if key >> 40 == application]:
            del self._running[key]
            self._free += 1
        self._start()

    def stop(self) -> None:
        """Report nothing any more."""
        self._alive = False

    def _start(self) -> None:
        while self._free and self._queue:
            task = self._queue.popleft()
            self._free -= 1
            self._running[task.key] = task
            self.started.append((task.key, task.attempt))
            seconds = self.begin(task)
            self._clock.at(
                self._clock.now + seconds,
                lambda task=task, took=seconds: self._end(task, took),  # type: ignore[misc]
            )

    def begin(self, task: Assigned) -> float:
        """Return how many seconds an attempt takes."""
        total, _, every = _parts(task)[0].partition(b"/")
        done = float(task.restored or 0)
        if every:
            self._clock.at(
                self._clock.now + float(every),
                lambda: self._checkpoint(task, done + float(every), float(every)),
            )
        return float(total) - done

    def outcome_of(self, task: Assigned, seconds: float) -> Outcome:
        """Return what came of an attempt that took so many seconds."""
        failure, result = self._outcome(task, _parts(task)[1])
        outcome = Outcome(task.key, task.attempt, result, seconds=seconds, failure=failure)
        if result.startswith(b">"):
            row = NewTask(task.spec & SPEC_MASK, "child", b"0.01")
            outcome.spawned = (row,) * int(result[1:])
        return outcome

    def learn(self, specs: Sequence[SpecEntry], codes: Sequence[CodeBlob]) -> None:
        """Take in what the tasks are made of: here nothing but their payload."""

    def _checkpoint(self, task: Assigned, done: float, every: float) -> None:
        if self._alive and self._running.get(task.key) is task:
            self._report([], [TaskCheckpoint(task.key, task.attempt, b"%g" % done)])
            self._clock.at(
                self._clock.now + every, lambda: self._checkpoint(task, done + every, every)
            )

    def _end(self, task: Assigned, seconds: float) -> None:
        if not self._alive or self._running.get(task.key) is not task:
            return
        del self._running[task.key]
        self._free += 1
        self._ended.append(self.outcome_of(task, seconds))
        if len(self._ended) == 1:
            self._clock.at(self._clock.now + FLUSH, self._tell)
        self._start()

    def _outcome(self, task: Assigned, result: bytes) -> tuple[Failure | None, bytes]:
        first = 0
        if result.startswith(b"?"):
            number, _, result = result[1:].partition(b":")
            first = int(number)
        if self.broken or (self.poison and result == self.poison):
            certificate = Certificate(suspect="task")
            text = "the process that ran it ended"
            return Failure("worker_lost", "WorkerLost", text, certificate=certificate), b""
        if result.startswith(b"!"):
            return Failure("failed", "ValueError", result[1:].decode()), b""
        if self.failing or nth_attempt(task.attempt) < first:
            return Failure("failed", "OSError", "no route", retriable=True), b""
        return None, result

    def _tell(self) -> None:
        ended, self._ended = self._ended, []
        if self._alive:
            self._report(ended, [])


def _parts(task: Assigned) -> tuple[bytes, bytes]:
    """Return what a payload says of the seconds and of the result."""
    assert isinstance(task.payload, bytes)
    seconds, _, result = task.payload.partition(b":")
    return seconds, result
