"""Large data: one object that many tasks need, and results of 1 MiB."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework import ApplicationNode, IApp, LocalCluster, Task, implements, task

if TYPE_CHECKING:
    from collections.abc import Sequence

OBJECT = 8 << 20
SHARING = 200
RESULT = 1 << 20
RESULTS = 400
ROUNDS = 3


@task
def length(data: Any) -> int:
    """Look at an object."""
    return len(data)


def produce(size: int) -> bytes:
    """Make a result."""
    return bytes(size)


class Timed(ApplicationNode):
    """Warms the executors up, then notes how long its tasks take."""

    abstract = True
    implements(IApp)
    seconds = 0.0
    ended = 0

    def make(self) -> list[Task]:
        """Return the tasks."""
        raise NotImplementedError

    def start_processing(self) -> None:
        """Warm up."""
        self.push_tasks(length(b"") for _ in range(500))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002
        """Go on after the warm-up; stop the clock after the last task."""
        if error is not None:
            raise error
        self.ended += 1
        if self.ended == 500:
            self.began = time.perf_counter()
            self.tasks = self.make()
            self.push_tasks(self.tasks)
        elif self.ended > 500 and self.ended == 500 + len(self.tasks):
            self.seconds = time.perf_counter() - self.began


class Shares(Timed):
    """Shares an object, as part of what is measured."""

    implements(IApp)

    def make(self) -> list[Task]:
        """Return tasks with the same object."""
        shared = self.share(os.urandom(OBJECT))
        return [length(shared) for _ in range(SHARING)]


class Produces(Timed):
    """Takes large results."""

    implements(IApp)

    def make(self) -> list[Task]:
        """Return tasks with large results."""
        producing = task(produce)
        return [producing(RESULT) for _ in range(RESULTS)]


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the rates, the best of a few rounds taken in turns."""
    rounds = 1 if quick else ROUNDS
    shared: list[float] = []
    ours: list[float] = []
    pools: list[float] = []
    with LocalCluster(workers=2, settings=settings) as cluster:
        for _ in range(rounds):
            shared.append(SHARING / cluster.run(Shares).seconds)
            ours.append(RESULTS / cluster.run(Produces).seconds)
            with ProcessPoolExecutor(2) as pool:
                list(pool.map(produce, [1] * 100))
                began = time.perf_counter()
                for future in [pool.submit(produce, RESULT) for _ in range(RESULTS)]:
                    future.result()
                pools.append(RESULTS / (time.perf_counter() - began))
    tasks, mine, pool_rate = max(shared), max(ours), max(pools)
    figures = [
        Figure("8 MiB shared by 200 tasks", f"{tasks:,.0f}/s", ">= 2,600/s", tasks >= 2600),
        Figure("results of 1 MiB", f"{mine:,.0f} MiB/s", ">= the pool's", mine >= pool_rate),
        Figure("ProcessPoolExecutor, the same", f"{pool_rate:,.0f} MiB/s"),
    ]
    return OwnFound(
        "data",
        TITLES["data"],
        f"An object of 8 MiB for {SHARING} tasks, and {RESULTS} results of 1 MiB. The best of {rounds} runs "
        "each, taken in turns.",
        HEAD,
        [figure.row for figure in figures],
    )
