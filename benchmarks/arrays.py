"""`push_map` of a function that does next to nothing, beside `ProcessPoolExecutor.map`."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Figure
from concurrent_framework import ApplicationNode, IApp, LocalCluster, implements

if TYPE_CHECKING:
    from concurrent_framework import TaskArray

ITEMS = 3_000_000
CHUNK = 10_000
ROUNDS = 3


def increment(number: int) -> int:
    """Do next to nothing."""
    return number + 1


class Increments(ApplicationNode):
    """Maps over all items and notes how long that takes, results in order included."""

    implements(IApp)
    seconds = 0.0

    def start_processing(self) -> None:
        """Push them."""
        self.began = time.perf_counter()
        self.push_map(increment, range(ITEMS), collect=True)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        """Leave it to the array."""

    def array_finished(self, array: TaskArray) -> None:
        """Have the results in order, as the pool gives them."""
        assert array.results[-1] == ITEMS
        self.seconds = time.perf_counter() - self.began


def measure() -> list[Figure]:
    """Return both rates, taken in turns, the best of each."""
    ours: list[float] = []
    pools: list[float] = []
    with LocalCluster(workers=2) as cluster:
        for _ in range(ROUNDS):
            ours.append(ITEMS / cluster.run(Increments).seconds)
            with ProcessPoolExecutor(2) as pool:
                list(pool.map(increment, range(1000)))
                began = time.perf_counter()
                results = list(pool.map(increment, range(ITEMS), chunksize=CHUNK))
                pools.append(ITEMS / (time.perf_counter() - began))
                assert results[-1] == ITEMS
    mine, pool_rate = max(ours), max(pools)
    return [
        Figure("push_map, items", f"{mine:,.0f}/s", ">= the pool's", mine >= pool_rate),
        Figure("ProcessPoolExecutor.map, chunks", f"{pool_rate:,.0f}/s", "", reached=True),
    ]
