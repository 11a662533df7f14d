"""`push_map` of a function that does next to nothing, beside `ProcessPoolExecutor.map`."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework import ApplicationNode, IApp, LocalCluster, implements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework import TaskArray

ITEMS = 3_000_000
FEW_ITEMS = 30_000
CHUNK = 10_000
ROUNDS = 3


def increment(number: int) -> int:
    """Do next to nothing."""
    return number + 1


class Increments(ApplicationNode):
    """Maps over all items and notes how long that takes, results in order included."""

    implements(IApp)
    items = ITEMS
    seconds = 0.0

    def start_processing(self) -> None:
        """Push them."""
        self.began = time.perf_counter()
        self.push_map(increment, range(self.items), collect=True)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        """Leave it to the array."""

    def array_finished(self, array: TaskArray) -> None:
        """Have the results in order, as the pool gives them."""
        assert array.results[-1] == self.items
        self.seconds = time.perf_counter() - self.began


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return both rates, taken in turns, the best of each."""
    items = Increments.items = FEW_ITEMS if quick else ITEMS
    rounds = 1 if quick else ROUNDS
    ours: list[float] = []
    pools: list[float] = []
    with LocalCluster(workers=2, settings=settings) as cluster:
        for _ in range(rounds):
            ours.append(items / cluster.run(Increments).seconds)
            with ProcessPoolExecutor(2) as pool:
                list(pool.map(increment, range(1000)))
                began = time.perf_counter()
                results = list(pool.map(increment, range(items), chunksize=CHUNK))
                pools.append(items / (time.perf_counter() - began))
                assert results[-1] == items
    mine, pool_rate = max(ours), max(pools)
    figures = [
        Figure("push_map, items", f"{mine:,.0f}/s", ">= the pool's", mine >= pool_rate),
        Figure("ProcessPoolExecutor.map, chunks", f"{pool_rate:,.0f}/s"),
    ]
    return OwnFound(
        "arrays",
        TITLES["arrays"],
        f"A function that adds 1, called with {items:,} numbers, results in order; the pool in chunks of "
        f"{CHUNK:,}. The best of {rounds} runs each, taken in turns.",
        HEAD,
        [figure.row for figure in figures],
    )
