"""The speed-up of tasks that burn 100 ms of processor time each, on two executors."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.measure import Figure
from concurrent_framework import ApplicationNode, IApp, Task, implements, run

TASKS = 60
SECONDS = 0.1
EXECUTORS = 2


class Burn(Task):
    """Is busy for a while, by the processor's time and not the clock's."""

    def __call__(self) -> None:
        """Burn."""
        end = time.process_time() + SECONDS
        while time.process_time() < end:
            pass


class Furnace(ApplicationNode):
    """Runs them all and notes how long that took, from the first push to the last outcome."""

    implements(IApp)

    began = ended = 0.0

    def start_processing(self) -> None:
        """Push them all."""
        self.began = time.perf_counter()
        self.push_tasks(Burn() for _ in range(TASKS))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002 (it ended)
        """Note the time."""
        self.ended = time.perf_counter()


def measure() -> list[Figure]:
    """Return the part of the ideal speed-up that is reached."""
    furnace = run(Furnace, workers=EXECUTORS)
    ideal = TASKS * SECONDS / EXECUTORS
    part = ideal / (furnace.ended - furnace.began)
    return [
        Figure(f"speed-up on {EXECUTORS} executors", f"{part * EXECUTORS:.2f}", "", reached=True),
        Figure("part of the ideal speed-up", f"{part:.1%}", ">= 96%", part >= 0.96),
    ]
