"""What a queued task takes of the master's and the application's memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.own.crowd import Nothing
from benchmarks.own.master_process import MasterProcess
from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework import ApplicationNode, IApp, implements
from concurrent_framework.launch.run import run

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS = 1_000_000
FEW_TASKS = 20_000
WARM_UP = 1000


class Queue(ApplicationNode):
    """Pushes tasks that nobody runs, since there is no worker."""

    implements(IApp)

    tasks = TASKS
    master: MasterProcess
    of_master = of_application = 0.0
    unsafe = 0

    def start_processing(self) -> None:
        """Begin the work beside the callbacks."""
        self.working = asyncio.get_running_loop().create_task(self.work())

    async def work(self) -> None:
        """Measure, and end."""
        await self.queued(WARM_UP)
        own = psutil.Process()
        before, ours = self.master.memory(), own.memory_info().rss
        await self.queued(self.tasks)
        self.of_master = (self.master.memory() - before) / self.tasks
        self.of_application = (own.memory_info().rss - ours) / self.tasks
        self.shutdown_main_loop()

    async def queued(self, count: int) -> None:
        """Push tasks and wait until the master has them."""
        self.safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.unsafe = count
        for _ in range(count):
            self.push_task(Nothing())
        await self.safe

    def push_task_response(self, result: Any) -> None:  # noqa: ARG002 (only their number counts)
        """Count what the master has."""
        self.unsafe -= 1
        if not self.unsafe:
            self.safe.set_result(None)


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the bytes per task."""
    Queue.tasks = FEW_TASKS if quick else TASKS
    window = f"master.window_tasks={Queue.tasks + WARM_UP}"
    with MasterProcess([*settings, window]) as master:
        Queue.master = master
        queue = run(Queue, join=master.endpoint)
    return OwnFound(
        "memory",
        TITLES["memory"],
        f"{Queue.tasks:,} tasks are pushed one by one to a master without workers. The application "
        "keeps the instances that were pushed, to give them back in `task_finished`; from a generator "
        "it would draw no more than fit into the window.",
        ("bytes per task in the master", "bytes per task in the application"),
        [(f"{queue.of_master:,.0f}", f"{queue.of_application:,.0f}")],
    )
