"""What master, worker and application take of the memory while the tasks of a generator pass through.

Ten million of them, which take some minutes, are a program of its own:
``python -m benchmarks.own.stream --tasks 10_000_000``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from benchmarks.own.measure import TITLES, OwnFound
from benchmarks.running import ROOT
from benchmarks.swarm import swarm
from concurrent_framework import ApplicationNode, IApp, Task, implements, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TASKS = 1_000_000
FEW_TASKS = 40_000
INTERVAL = 0.1
"""Seconds between two looks at the processes."""
PARTS = 10
ALLOWED = {"master": 300e6, "application": 100e6}


class Nothing(Task):
    """A task that does nothing."""

    def __call__(self) -> None:
        """Do nothing."""


class Stream(ApplicationNode):
    """Pushes the tasks of a generator, says how many have ended, and checks that all have."""

    implements(IApp)

    tasks = TASKS
    ended = wrong = 0

    def start_processing(self) -> None:
        """Push them all."""
        self.push_tasks(Nothing() for _ in range(self.tasks))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002
        """Count what has ended."""
        self.ended += 1
        self.wrong += error is not None
        if self.ended * PARTS % self.tasks < PARTS:
            print(self.ended, self.wrong, flush=True)


class Part(NamedTuple):
    """How it was when a part of the tasks had ended: the most that each process has had until then."""

    ended: int
    seconds: float
    master: int
    worker: int
    application: int


def stream(tasks: int, settings: Sequence[str] = ()) -> Iterator[Part]:
    """Send tasks through a master with an SQLite journal and a worker with two executors.

    Raises:
        RuntimeError: not all of them have ended well.

    """
    with swarm("sqlite", settings) as places:
        command = [sys.executable, "-m", "benchmarks.own.stream", "--join", places.link]
        with subprocess.Popen(
            [*command, "--tasks", str(tasks)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            watched = [psutil.Process(pid) for pid in (places.master, places.worker, child.pid)]
            yield from _watch(child.stdout, watched, tasks)


def _watch(told: Any, watched: list[psutil.Process], tasks: int) -> Iterator[Part]:
    from selectors import EVENT_READ, DefaultSelector

    began, ended = time.perf_counter(), 0
    most = [0] * len(watched)
    with DefaultSelector() as selector:
        selector.register(told, EVENT_READ)
        while ended < tasks:
            news = selector.select(INTERVAL)
            for place, process in enumerate(watched):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    most[place] = max(most[place], process.memory_info().rss)
            if not news:
                continue
            words = told.readline().split()
            if not words or words[1] != "0":
                message = f"the application has ended after {ended:,} of {tasks:,} tasks: {words}"
                raise RuntimeError(message)
            ended = int(words[0])
            yield Part(ended, time.perf_counter() - began, *most)


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the memory of the processes as the tasks pass through."""
    tasks = FEW_TASKS if quick else TASKS
    parts = list(stream(tasks, settings))
    rows = [
        (
            f"{part.ended:,}",
            f"{part.ended / part.seconds:,.0f}",
            *(f"{size / 1e6:.0f}" for size in part[2:]),
        )
        for part in parts
    ]
    goals = ", ".join(f"{name} < {limit / 1e6:.0f} MB" for name, limit in ALLOWED.items())
    return OwnFound(
        "stream",
        TITLES["stream"],
        f"{tasks:,} tasks that do nothing come from a generator, through a master with an SQLite journal "
        f"and a worker with two executors; the most resident memory until then. Goals: {goals}.",
        ("tasks that have ended", "tasks/s", "master, MB", "worker, MB", "application, MB"),
        rows,
    )


def main(arguments: list[str]) -> int:
    """Be the application of a measurement, or measure and print."""
    parser = ArgumentParser(prog="python -m benchmarks.own.stream", description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--join", help="the application's part: push the tasks to this master")
    options = parser.parse_args(arguments)
    if options.join:
        Stream.tasks = options.tasks
        return int(run(Stream, join=options.join).ended != options.tasks)
    for part in stream(options.tasks):
        named = zip(part._fields[2:], part[2:], strict=True)
        sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in named)
        print(f"{part.ended:,} tasks in {part.seconds:.0f} s: {sizes}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
