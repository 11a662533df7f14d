"""What systems with the standard library's executor interface have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.peer import BlockingPeer, chunk_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor


class FuturesPeer(BlockingPeer):
    """Submits with `Executor.submit` and waits for the futures."""

    executor: Executor

    def stop(self) -> None:
        """Shut the executor down."""
        self.executor.shutdown()

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one."""
        submit = self.executor.submit
        futures = [submit(function, argument) for argument in arguments]
        return [future.result() for future in futures]

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Map in chunks, as the documentation advises for long iterables."""
        chunk = chunk_size(len(arguments))
        return list(self.executor.map(function, arguments, chunksize=chunk))
