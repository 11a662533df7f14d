"""A task manager without processes: it ends each task after the time its payload says."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol.tasks import Outcome, TaskCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry
    from concurrent_framework.testing.clock import FakeClock

FLUSH = 0.0005
"""Seconds for which outcomes are gathered, as an executor does."""


class SimManager:
    """Runs tasks in virtual time. A payload is ``b"seconds"`` or ``b"seconds:result"``.

    The result ``!text`` makes the task fail with that text. With ``b"seconds/every"`` for the seconds
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
        result = _parts(task)[1]
        failure = None
        if result.startswith(b"!"):
            failure = Failure("failed", "ValueError", result[1:].decode())
            result = b""
        return Outcome(task.key, task.attempt, result, seconds=seconds, failure=failure)

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

    def _tell(self) -> None:
        ended, self._ended = self._ended, []
        if self._alive:
            self._report(ended, [])


def _parts(task: Assigned) -> tuple[bytes, bytes]:
    """Return what a payload says of the seconds and of the result."""
    assert isinstance(task.payload, bytes)
    seconds, _, result = task.payload.partition(b":")
    return seconds, result
