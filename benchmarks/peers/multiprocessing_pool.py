"""`multiprocessing.Pool`."""

from __future__ import annotations

from multiprocessing import Pool
from typing import TYPE_CHECKING, Any

from benchmarks.peer import EXECUTORS, BlockingPeer

if TYPE_CHECKING:
    from collections.abc import Sequence


class MultiprocessingPool(BlockingPeer):
    """`apply_async` for single calls, `map` with its own choice of chunks."""

    def start(self) -> None:
        """Fork the processes."""
        self.pool = Pool(EXECUTORS)

    def stop(self) -> None:
        """Let them end."""
        self.pool.close()
        self.pool.join()

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one."""
        submit = self.pool.apply_async
        waiting = [submit(function, (argument,)) for argument in arguments]
        return [result.get() for result in waiting]

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Map."""
        return self.pool.map(function, arguments)
