"""How many tasks that do nothing go through, pushed one by one, and how fast they are submitted."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.measure import Figure
from concurrent_framework import ApplicationNode, IApp, Task, implements, run

TASKS = 100_000


class Nothing(Task):
    """A task that does nothing."""

    def __call__(self) -> None:
        """Do nothing."""


class Flood(ApplicationNode):
    """Pushes tasks one by one, and notes when all are safe at the master and when all have ended."""

    implements(IApp)

    began = submitted = ended = 0.0
    accepted = finished = 0

    def start_processing(self) -> None:
        """Push them all."""
        self.began = time.perf_counter()
        for _ in range(TASKS):
            self.push_task(Nothing())

    def push_task_response(self, result: Any) -> None:  # noqa: ARG002 (only their number counts)
        """Count what is safe at the master."""
        self.accepted += 1
        if self.accepted == TASKS:
            self.submitted = time.perf_counter()

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002
        """Count what has ended."""
        self.finished += 1
        if self.finished == TASKS:
            self.ended = time.perf_counter()


def measure() -> list[Figure]:
    """Return both rates."""
    flood = run(Flood, workers=2)
    submitted = TASKS / (flood.submitted - flood.began)
    ended = TASKS / (flood.ended - flood.began)
    return [
        Figure("single submissions", f"{submitted:,.0f}/s", "> 30,000/s", submitted > 30_000),
        Figure("tasks that do nothing, end to end", f"{ended:,.0f}/s", "", reached=True),
    ]
