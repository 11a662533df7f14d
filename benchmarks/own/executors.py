"""What the process manager and its executors can do by themselves, without a master."""

from __future__ import annotations

import select
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.launch.template import Template
from concurrent_framework.managers.base import ManagerContext
from concurrent_framework.managers.processes import ProcessManager
from concurrent_framework.model.ids import SPEC_BITS, task_key
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import Assigned, SpecEntry
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS = 300_000
BATCH = 256
WINDOW = 4096
ROUND_TRIPS = 300
SPEC = 1 << SPEC_BITS


class Nothing(Task):
    """A task that does nothing."""

    def __call__(self) -> None:
        """Do nothing."""


class Worker:
    """As much of a worker as a process manager needs."""

    def __init__(self, directory: Path, template: Template) -> None:
        config = Config.load(None, {}, ["worker.executors=2"])
        self.manager = ComponentManager(config, [ProcessManager])[ProcessManager]
        self.manager.start(ManagerContext("benchmark", directory, template))
        code = CodeReference(Nothing.__module__, Nothing.__qualname__)
        self.manager.load([SpecEntry(SPEC, TaskSpec(code))], {})
        self.sequence = 0

    def rows(self, count: int) -> list[Assigned]:
        """Make tasks."""
        payload = dump_state(Nothing("nothing", None, "benchmark"))
        first, self.sequence = self.sequence + 1, self.sequence + count
        return [Assigned(task_key(1, first + n), 1, SPEC, payload) for n in range(count)]

    def run(self, rows: list[Assigned]) -> float:
        """Run tasks, a window of them at a time, and return the seconds that took."""
        began = time.perf_counter()
        sent = ended = 0
        while ended < len(rows):
            now = time.monotonic()
            while sent < len(rows) and sent - ended < WINDOW:
                self.manager.submit(rows[sent : sent + BATCH], now)
                sent += BATCH
            due = self.manager.deadline(now)
            patience = None if due is None else max(0.0, due - now)
            select.select(self.manager.pollables(), [], [], patience)
            outcomes = self.manager.collect(time.monotonic()).outcomes
            if any(outcome.failure for outcome in outcomes):
                message = f"a task failed: {outcomes[0].failure}"
                raise RuntimeError(message)
            ended += len(outcomes)
        return time.perf_counter() - began


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return how soon there is a first result, how long a task takes there and back, and the rate."""
    del settings
    tasks = TASKS // 100 if quick else TASKS
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Template() as template:
        worker = Worker(Path(folder), template)
        worker.run(worker.rows(1))
        first = time.perf_counter() - began
        alone = statistics.median(worker.run(worker.rows(1)) for _ in range(ROUND_TRIPS))
        worker.run(worker.rows(tasks // 10))
        rate = tasks / worker.run(worker.rows(tasks))
        worker.manager.stop()
    return OwnFound(
        "executors",
        TITLES["executors"],
        "A process manager with two executors, without worker and master.",
        ("first result, ms", "one task there and back, us", "tasks/s"),
        [(f"{first * 1e3:.0f}", f"{alone * 1e6:.0f}", f"{rate:,.0f}")],
    )
