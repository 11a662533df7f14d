"""Looks for a wing with little drag: a task system on the master's side, some of whose tasks fail."""

import random
import time
from collections.abc import Iterator
from typing import Any

from concurrent_framework import ApplicationNode, IApp, TaskSystem, implements, task

POINTS = 6000


class Diverged(ArithmeticError):
    pass


@task
def simulate(angle: float, step: int) -> float:
    time.sleep(random.uniform(0.1, 1.2))
    if step % 97 == 41:
        raise Diverged(f"the pressure is not finite at {angle:.2f} degrees, step {step}")
    if step % 40 == 0:
        print(f"step {step}: the flow is steady at {angle:.2f} degrees")
    return abs(angle - 4.2) + random.random() / 100


class Sweep(TaskSystem):
    def __init__(self) -> None:
        super().__init__()
        self.best = (100.0, 0.0)
        self.done = 0

    def generate_tasks(self, master: Any) -> Iterator[Any]:
        return (simulate(step % 1000 / 100, step) for step in range(POINTS))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        self.done += 1
        if error is None:
            self.best = min(self.best, (result, self.done))
        if self.done % 10 == 0:
            master.progress(self.done, POINTS, f"least drag so far: {self.best[0]:.4f}")

    def is_complete(self, master: Any) -> bool:
        return self.done >= POINTS

    def gather_result(self, master: Any) -> float:
        return self.best[0]


class WingSweep(ApplicationNode):
    implements(IApp)

    def get_task_system(self) -> TaskSystem:
        return Sweep()
