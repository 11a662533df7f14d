"""Checks the files of a day, of which two are broken, and ends."""

import time
from typing import Any

from concurrent_framework import ApplicationNode, IApp, implements, task

FILES = 60


@task
def check(number: int) -> int:
    time.sleep(0.05)
    if number % 25 == 24:
        raise ValueError(f"day-{number}.csv has 11 columns, not 12")
    return number


class NightlyCheck(ApplicationNode):
    implements(IApp)
    left = FILES

    def start_processing(self) -> None:
        self.push_tasks(check(number) for number in range(FILES))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        self.left -= 1
        if not self.left:
            self.shutdown_main_loop()
