"""Aligns reads: short tasks that come in bursts."""

import random
import time
from typing import Any

from concurrent_framework import ApplicationNode, IApp, implements, task

BURSTS = 100


@task
def align(read: int) -> int:
    time.sleep(random.uniform(0.01, 0.09))
    return read


class AlignReads(ApplicationNode):
    implements(IApp)
    left = burst = 0

    def start_processing(self) -> None:
        self.burst += 1
        many = random.randrange(300, 1500)
        self.left += many
        self.push_tasks(align(number) for number in range(many))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        self.left -= 1
        if not self.left and self.burst < BURSTS:
            self.start_processing()
