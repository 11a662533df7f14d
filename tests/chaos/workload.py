"""The applications that chaos is let loose on. Whatever they are told goes into a ledger at once."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

from concurrent_framework import (
    ApplicationNode,
    IApp,
    Task,
    TaskError,
    TaskSystem,
    current_task,
    implements,
)

SLICE = 20
LEDGER = "CHAOS_LEDGER"
COUNT = "CHAOS_COUNT"


def note(path: str, *words: object) -> None:
    """Append a line, in one write: what is noted survives the death of this process."""
    with Path(path).open("ab", buffering=0) as file:
        file.write((" ".join(map(str, words)) + "\n").encode())


class Step(Task):
    """Takes a moment and returns the square of its number."""

    max_attempts = 1000

    def __init__(self, number: int, ledger: str) -> None:
        super().__init__(f"step {number}")
        self.number = number
        self.ledger = ledger

    def __call__(self) -> int:
        note(self.ledger, "ran", self.number)
        pause = random.Random(self.number).random() ** 3 / 10
        end = time.monotonic() + pause
        while time.monotonic() < end:
            current_task().progress(self.number, self.number)
            time.sleep(pause / 3)
        return self.number**2


class Once(Step):
    """The same, but it must not run twice."""

    idempotent = False


class Plain(ApplicationNode):
    """Pushes steps, every tenth at most once, and notes what is accepted and what is told."""

    implements(IApp)

    def __init__(self) -> None:
        self.ledger = os.environ[LEDGER]

    def start_processing(self) -> None:
        note(self.ledger, "session", os.getpid(), self.node_id_str)
        count = int(os.environ[COUNT])
        for first in range(1, count + 1, SLICE):
            numbers = range(first, min(first + SLICE, count + 1))
            self.push_tasks([self.step(number) for number in numbers])

    def step(self, number: int) -> Step:
        """Make a task."""
        return (Step if number % 10 else Once)(number, self.ledger)

    def push_tasks_response(self, result: Any) -> None:
        note(self.ledger, "accepted", os.getpid(), result.count)

    def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
        what = "lost" if error is not None and error.kind == "worker_lost" else "failed"
        told = result if error is None else f"{what} {error.message}"
        note(self.ledger, "told", os.getpid(), task.number, told)


class Chain(TaskSystem):
    """Each task that ends makes the next, in a few chains at once; keeps every result."""

    WIDTH = 8

    def __init__(self, count: int, ledger: str) -> None:
        self.count = count
        self.ledger = ledger
        self.results: list[int] = []

    def generate_tasks(self, _master: Any) -> list[Step]:
        return [Step(n, self.ledger) for n in range(1, min(self.WIDTH, self.count) + 1)]

    def task_finished(
        self, _master: Any, task: Any, result: Any, error: TaskError | None
    ) -> Step | None:
        if error is not None:
            error.raise_()
        self.results.append(result)
        following = task.number + self.WIDTH
        return Step(following, self.ledger) if following <= self.count else None

    def is_complete(self, _master: Any) -> bool:
        return len(self.results) >= self.count

    def gather_result(self, _master: Any) -> list[int]:
        return sorted(self.results)


class System(ApplicationNode):
    """Has a task system do the steps, and notes its result."""

    implements(IApp)

    def __init__(self) -> None:
        self.ledger = os.environ[LEDGER]

    def get_task_system(self) -> Chain:
        note(self.ledger, "session", os.getpid(), self.node_id_str)
        return Chain(int(os.environ[COUNT]), self.ledger)

    def push_tasksystem_response(self, _result: Any) -> None:
        note(self.ledger, "accepted", os.getpid(), 1)

    def work_finished(self, result: Any, _system: Any) -> None:
        told = result if not isinstance(result, list) else f"{len(result)} {sum(result)}"
        note(self.ledger, "told", os.getpid(), 0, told)
