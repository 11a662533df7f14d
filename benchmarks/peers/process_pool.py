"""`concurrent.futures.ProcessPoolExecutor`."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor as Executor

from benchmarks.peer import EXECUTORS
from benchmarks.peers.futures import FuturesPeer


class ProcessPoolExecutor(FuturesPeer):
    """The standard library's executor."""

    def start(self) -> None:
        """Make the executor; it starts its processes with the first task."""
        self.executor = Executor(EXECUTORS)
