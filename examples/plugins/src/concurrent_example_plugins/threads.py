"""A task manager that runs tasks in threads of the worker.

Threads suit tasks that wait: for the network, for a disk, for a program that they have started. They
start at once and need little memory. In exchange, nothing protects the worker from them: a task that
crashes takes the worker along, one that is cancelled or has run out of time is given up, but goes on
until it ends by itself, and what tasks print appears on the worker's terminal.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections import deque
from math import inf
from queue import SimpleQueue
from typing import TYPE_CHECKING

from concurrent_example_plugins.performing import Job, Performer
from concurrent_framework import Component, implements
from concurrent_framework.managers.base import ITaskManager, Report
from concurrent_framework.managers.processes import ProcessManager
from concurrent_framework.model.ids import application_of, application_of_spec
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.model.resources import Capacity
from concurrent_framework.protocol.tasks import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework.managers.base import ManagerContext
    from concurrent_framework.model.outcome import FailureKind
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry

TaskId = tuple[int, int]
"""Key and attempt."""
PER_CPU = 8
"""Threads for each processor, unless ``worker.executors`` says how many: most of them wait."""


class ThreadManager(Component):
    """Runs tasks in threads.

    All of its state belongs to the worker's thread. The others take jobs from one queue, put what
    came of them into another, and write a byte to wake the worker.
    """

    implements(ITaskManager)
    name = "threads"

    # The options of the built-in manager that mean the same here.
    executors = ProcessManager.executors
    labels = ProcessManager.labels

    def start(self, context: ManagerContext) -> Capacity:
        """Start the threads."""
        count = self.executors or PER_CPU * (os.cpu_count() or 1)
        self._worker = context.worker
        self._wake, wake = socket.socketpair()
        self._wake.settimeout(0)
        wake.settimeout(0)
        self._their_wake = wake
        self._inbox: SimpleQueue[Job | None] = SimpleQueue()
        self._done: SimpleQueue[Job] = SimpleQueue()
        self._performer = Performer(context.worker, context.directory)
        self._specs: dict[int, SpecEntry] = {}
        self._waiting: deque[Assigned] = deque()
        self._running: dict[TaskId, Job] = {}
        self._outcomes: list[Outcome] = []
        self._free = count
        self._threads = [
            threading.Thread(target=self._work, name=f"task-{n}", daemon=True) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()
        return Capacity(executors=count, cpus=float(count), labels=self.labels)

    def load(self, specs: Sequence[SpecEntry], paths: dict[str, Path]) -> None:
        """Learn specs and where code lies."""
        self._specs.update((entry.number, entry) for entry in specs)
        self._performer.learn(specs, paths)

    def submit(self, tasks: Sequence[Assigned], now: float) -> None:
        """Run these as threads become free."""
        self._waiting.extend(tasks)
        self._hand_out(now)

    def recall(self, limit: int, now: float) -> list[TaskId]:
        """Give back what waits, the youngest first."""
        del now
        count = min(limit, len(self._waiting))
        rows = [self._waiting.pop() for _ in range(count)]
        return [(row.key, row.attempt) for row in rows]

    def cancel(self, tasks: Sequence[TaskId], now: float) -> None:
        """Give these up; a running one can look at `current_task().cancelled`."""
        del now
        given_up = set(tasks) & {*self._running, *((row.key, row.attempt) for row in self._waiting)}
        self._waiting = deque(
            row for row in self._waiting if (row.key, row.attempt) not in given_up
        )
        for task in given_up:
            self._give_up(task, "cancelled", "TaskCancelled", "it was cancelled")

    def forget(self, application: int) -> None:
        """Drop everything of an application."""
        self._waiting = deque(
            row for row in self._waiting if application_of(row.key) != application
        )
        for task in [one for one in self._running if application_of(one[0]) == application]:
            self._running.pop(task).given_up = True
        for number in [one for one in self._specs if application_of_spec(one) == application]:
            del self._specs[number]

    def pollables(self) -> Sequence[int]:
        """Return what becomes readable when a task has ended."""
        return [self._wake.fileno()]

    def deadline(self, now: float) -> float | None:
        """Return when the next task will have run out of time."""
        if self._outcomes:
            return now
        first = min((job.until for job in self._running.values()), default=inf)
        return None if first == inf else first

    def collect(self, now: float) -> Report:
        """Take what has ended, give up what has run out of time, start what waits."""
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass
        while not self._done.empty():
            job = self._done.get()
            self._free += 1
            if self._running.pop((job.row.key, job.row.attempt), None) is not None:
                self._outcomes.append(job.outcome)
        for task, job in list(self._running.items()):
            if job.until <= now:
                text = f"it ran longer than its timeout of {job.timeout:g} s"
                self._give_up(task, "timeout", "TaskTimeout", text)
        self._hand_out(now)
        outcomes, self._outcomes = self._outcomes, []
        lines, notes, checkpoints = self._performer.told()
        return Report(outcomes, lines, notes, checkpoints=checkpoints)

    def stop(self) -> None:
        """Let idle threads end; those that run a task end with the worker."""
        for _ in self._threads:
            self._inbox.put(None)
        self._wake.close()
        self._their_wake.close()

    def _hand_out(self, now: float) -> None:
        while self._free and self._waiting:
            row = self._waiting.popleft()
            timeout = self._specs[row.spec].spec.timeout
            job = Job(
                row, Outcome(row.key, row.attempt), timeout, now + timeout if timeout else inf
            )
            self._running[row.key, row.attempt] = job
            self._free -= 1
            self._inbox.put(job)

    def _give_up(self, task: TaskId, kind: FailureKind, type_name: str, text: str) -> None:
        """Report a task's end; the thread that may still run it is free when it has ended."""
        if (job := self._running.pop(task, None)) is not None:
            job.given_up = True
        failure = Failure(kind, type_name, text, certificate=Certificate(worker=self._worker))
        self._outcomes.append(Outcome(*task, failure=failure))

    def _work(self) -> None:
        """Be one of the threads."""
        while (job := self._inbox.get()) is not None:
            self._performer.perform(job)
            self._done.put(job)
            with contextlib.suppress(OSError):  # full: it is awake; closed: nobody wants to know
                self._their_wake.send(b"!")
