"""How many tasks that do nothing go through, pushed one by one, and how fast they are submitted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework import ApplicationNode, IApp, Task, implements, run

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS = 100_000
FEW_TASKS = 2_000


class Nothing(Task):
    """A task that does nothing."""

    def __call__(self) -> None:
        """Do nothing."""


class Flood(ApplicationNode):
    """Pushes tasks one by one, and notes when all are safe at the master and when all have ended."""

    implements(IApp)

    tasks = TASKS
    began = submitted = ended = 0.0
    accepted = finished = 0

    def start_processing(self) -> None:
        """Push them all."""
        self.began = time.perf_counter()
        for _ in range(self.tasks):
            self.push_task(Nothing())

    def push_task_response(self, result: Any) -> None:  # noqa: ARG002 (only their number counts)
        """Count what is safe at the master."""
        self.accepted += 1
        if self.accepted == self.tasks:
            self.submitted = time.perf_counter()

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002
        """Count what has ended."""
        self.finished += 1
        if self.finished == self.tasks:
            self.ended = time.perf_counter()

    @property
    def rate(self) -> float:
        """Tasks per second, from the first submission to the last outcome.

        Raises:
            RuntimeError: not all have ended.

        """
        if self.finished != self.tasks:
            message = f"{self.finished:,} of {self.tasks:,} tasks have ended"
            raise RuntimeError(message)
        return self.tasks / (self.ended - self.began)


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return both rates."""
    Flood.tasks = FEW_TASKS if quick else TASKS
    flood = run(Flood, workers=2, settings=settings)
    submitted = flood.tasks / (flood.submitted - flood.began)
    figures = [
        Figure(
            "submissions that are safe", f"{submitted:,.0f}/s", "> 30,000/s", submitted > 30_000
        ),
        Figure("tasks that have ended", f"{flood.rate:,.0f}/s"),
    ]
    return OwnFound(
        "throughput",
        TITLES["throughput"],
        f"{flood.tasks:,} tasks that do nothing are pushed one by one to an embedded cluster.",
        HEAD,
        [figure.row for figure in figures],
    )
