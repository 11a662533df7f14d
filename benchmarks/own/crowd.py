"""One application, a real master, and simulated workers: what a task costs the master."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.own.master_process import MasterProcess
from benchmarks.running import ROOT
from concurrent_framework import ApplicationNode, IApp, Task, implements
from concurrent_framework.launch.run import run

if TYPE_CHECKING:
    from collections.abc import Sequence


WARM_UP = 2000


class Nothing(Task):
    """A task that does nothing; the simulated workers do not even call it."""

    def __call__(self) -> None:
        """Do nothing."""


class Cost(NamedTuple):
    """What a task cost.

    Args:
        master: processor time of the master per task, in microseconds.
        wall: time of day per task, in microseconds.

    """

    master: float
    wall: float


class Crowd(ApplicationNode):
    """Pushes tasks, with the workers there from the start or only once all tasks are pending."""

    implements(IApp)

    tasks = 1000
    workers = 2
    pending_first = False
    master: MasterProcess
    swarm: subprocess.Popen[bytes] | None = None
    left = unsafe = 0
    cost = Cost(0.0, 0.0)

    async def start_processing(self) -> None:
        """Begin the work beside the callbacks."""
        self.working = asyncio.get_running_loop().create_task(self.work())

    async def work(self) -> None:
        """Measure, and end."""
        if not self.pending_first:
            self.start_workers()
            await self.all_there()
            await self.ended(WARM_UP)
        used, began = self.master.seconds(), perf_counter()
        await self.ended(self.tasks)
        self.cost = Cost(
            (self.master.seconds() - used) / self.tasks * 1e6,
            (perf_counter() - began) / self.tasks * 1e6,
        )
        self.shutdown_main_loop()

    async def ended(self, count: int) -> None:
        """Push tasks and wait until they have ended."""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left = self.unsafe = count
        for _ in range(count):
            self.push_task(Nothing())
        if self.pending_first:
            self.safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            await self.safe
            self.start_workers()
        await self.done

    def start_workers(self) -> None:
        """Start the process of the workers."""
        command = [sys.executable, "-m", "benchmarks.own.swarm", self.master.endpoint]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.swarm = subprocess.Popen([*command, str(self.workers)], env=environment)

    async def all_there(self) -> None:
        """Wait for all workers. Applications are not told of each, so this has to look."""
        while self.stats.workers < self.workers:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0.01)

    def push_task_response(self, result: Any) -> None:  # noqa: ARG002 (only their number counts)
        """Count what the master has."""
        self.unsafe -= 1
        if not self.unsafe and self.pending_first:
            self.safe.set_result(None)

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002
        """Count what has ended."""
        self.left -= 1
        if not self.left:
            self.done.set_result(None)


def cost(tasks: int, workers: int, settings: Sequence[str], *, pending_first: bool) -> Cost:
    """Return what a task costs.

    Args:
        tasks: how many are pushed.
        workers: how many there are.
        settings: of the master.
        pending_first: whether the workers come only when the master has all tasks.

    """
    with MasterProcess([*settings, f"master.window_tasks={tasks + WARM_UP}"]) as master:
        Crowd.tasks, Crowd.workers, Crowd.pending_first = tasks, workers, pending_first
        Crowd.master = master
        crowd = run(Crowd, join=master.endpoint)
        if crowd.swarm is not None:
            crowd.swarm.terminate()
            crowd.swarm.wait()
        return crowd.cost
