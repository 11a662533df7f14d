"""Measures how much faster several executors are, next to what Amdahl's law allows.

The application pushes tasks that only keep a core busy, so that whatever is missing from the ideal
speed-up is what distributing them costs. With ``--serial`` it does a part of the work itself, before
the tasks, as programs do that cannot be shared out completely.
"""

from __future__ import annotations

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from time import perf_counter
from typing import TYPE_CHECKING

from concurrent_framework import ApplicationNode, IApp, implements
from concurrent_framework.samples.expensive.measurement import Measurement, report
from concurrent_framework.samples.expensive.tasks import Burn, Burned, burn

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from concurrent_framework import TaskError

MILLISECOND = 1e-3


class Expensive(ApplicationNode):
    """Burns processor time on all executors and tells how well they were used."""

    implements(IApp)

    def app_init(self) -> None:
        self.options = parse(self.arguments)
        self.measuring = False
        self.done = 0
        self.work = self.running = 0.0

    def start_processing(self) -> None:
        # The measurement begins when a first task is back: workers and executors are up by then.
        self.push_task(Burn(0, 0.0))

    def task_finished(self, task: Burn, result: Burned, error: TaskError | None) -> None:
        if error:
            error.raise_()
        if not self.measuring:
            self.measure()
            return
        self.work += result.work
        self.running += result.elapsed
        self.done += 1
        self.progress(self.done, self.options.tasks, "tasks")
        if self.done == self.options.tasks:
            self.finish()

    def measure(self) -> None:
        """Do the serial part of the work and push the rest."""
        options = self.options
        self.measuring = True
        self.started = perf_counter()
        seconds = options.milliseconds * MILLISECOND
        serial = options.tasks * seconds * options.serial / (1.0 - options.serial)
        self.work += burn(serial).work
        self.pushed = perf_counter()
        self.push_tasks(Burn(number, seconds) for number in range(1, options.tasks + 1))

    def finish(self) -> None:
        """Print the measurement."""
        ended = perf_counter()
        self.measurement = Measurement(
            executors=max(1, self.stats.executors),
            serial=self.options.serial,
            work=self.work,
            wall=ended - self.started,
            running=self.running,
            shared=ended - self.pushed,
        )
        self.log.info("%s", report(self.measurement))
        self.shutdown_main_loop()


def parse(arguments: Sequence[str]) -> Namespace:
    """Read the arguments after ``--``; ends the program if they ask for help or are wrong."""
    parser = ArgumentParser(
        prog="concurrent run expensive --",
        description="Keep all executors busy and compare the speed-up with Amdahl's law.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--tasks", type=int, default=200, help="how many tasks")
    parser.add_argument("--milliseconds", type=float, default=100.0, help="work in each of them")
    parser.add_argument(
        "--serial", type=float, default=0.0, help="fraction of all work not to share out, 0 to 1"
    )
    options = parser.parse_args(arguments)
    if options.tasks < 1:
        parser.error("--tasks must be at least 1")
    if not 0 <= options.milliseconds < float("inf"):
        parser.error("--milliseconds must not be negative")
    if not 0 <= options.serial < 1:
        parser.error("--serial must be at least 0 and less than 1")
    return options
