"""The speed-up of tasks that burn 100 ms of processor time each, on two executors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework import ApplicationNode, IApp, Task, implements, run

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    tasks = TASKS
    began = ended = 0.0

    def start_processing(self) -> None:
        """Push them all."""
        self.began = time.perf_counter()
        self.push_tasks(Burn() for _ in range(self.tasks))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002 (it ended)
        """Note the time."""
        self.ended = time.perf_counter()


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the part of the ideal speed-up that is reached."""
    Furnace.tasks = 10 if quick else TASKS
    furnace = run(Furnace, workers=EXECUTORS, settings=settings)
    ideal = Furnace.tasks * SECONDS / EXECUTORS
    part = ideal / (furnace.ended - furnace.began)
    return OwnFound(
        "speedup",
        TITLES["speedup"],
        f"{Furnace.tasks} tasks burn {SECONDS:g} s of processor time each on {EXECUTORS} executors.",
        ("speed-up", "part of the ideal one"),
        [(f"{part * EXECUTORS:.2f}", f"{part:.1%}")],
    )
