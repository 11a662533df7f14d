"""loky, the executor behind joblib."""

from __future__ import annotations

from loky import get_reusable_executor

from benchmarks.peer import EXECUTORS
from benchmarks.peers.futures import FuturesPeer


class Loky(FuturesPeer):
    """Its reusable executor, as its documentation says."""

    def start(self) -> None:
        """Make the executor."""
        self.executor = get_reusable_executor(max_workers=EXECUTORS)
