"""Takes numbers from a file of the environment apart, into their prime factors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework import ApplicationNode, IApp, Option, implements, task
from concurrent_framework.environment import Environment

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework import Task, TaskError


@task
def factorise(number: int) -> list[int]:
    """Return the prime factors of a number, the smallest first."""
    factors, divisor = [], 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors + [number] * (number > 1)


class Factors(ApplicationNode):
    """Reads ``data/numbers.txt`` and writes ``data/factors.txt``."""

    implements(IApp)
    input = Option("factors", "input", default="numbers.txt", doc="File with a number per line.")

    @property
    def data(self) -> Path:
        """The environment's folder for data."""
        return self.components[Environment].layout.data

    def start_processing(self) -> None:
        """Make a task of each number."""
        numbers = [int(line) for line in (self.data / self.input).read_text().split()]
        self.lines: dict[int, str] = {}
        self.left = len(numbers)
        for place, number in enumerate(numbers):
            work = factorise(number)
            work.name = f"{place}: {number}"
            self.push_task(work)

    def task_finished(self, task: Task, result: list[int], error: TaskError | None) -> None:
        """Keep a line; write all of them when they are there."""
        place, number = task.name.split(": ")
        self.lines[int(place)] = f"{number} = {error or ' * '.join(map(str, result))}"
        self.log.info(self.lines[int(place)])
        self.left -= 1
        if not self.left:
            text = "\n".join(self.lines[place] for place in sorted(self.lines))
            (self.data / "factors.txt").write_text(f"{text}\n")
            self.shutdown_main_loop()
