"""Renders a film: many tasks of much the same length."""

import random
import time
from typing import Any

from concurrent_framework import ApplicationNode, IApp, Task, implements

FRAMES = 9000


class Frame(Task):
    def __call__(self) -> int:
        seconds = random.uniform(0.3, 0.7)
        time.sleep(seconds)
        if self.name.endswith("50"):
            print(f"{self.name} took {seconds:.2f} s")
        return round(seconds * 1000)


class RenderFilm(ApplicationNode):
    implements(IApp)

    def start_processing(self) -> None:
        self.push_tasks(Frame(f"frame-{n:04}", None, self.node_id_str) for n in range(FRAMES))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        pass
