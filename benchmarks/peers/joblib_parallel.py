"""`joblib.Parallel` with loky, its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joblib import Parallel, delayed

from benchmarks.peer import EXECUTORS, BlockingPeer, NotOffered

if TYPE_CHECKING:
    from collections.abc import Sequence


class Joblib(BlockingPeer):
    """A `Parallel` kept open as a context, so that its processes stay. It batches by itself.

    It has no way to submit single calls; large arrays are shared through memory maps by default.
    """

    def start(self) -> None:
        """Open the context."""
        self.parallel = Parallel(n_jobs=EXECUTORS)
        self.parallel.__enter__()

    def stop(self) -> None:
        """Close it, and the processes with it."""
        from joblib.externals.loky import get_reusable_executor

        self.parallel.__exit__(None, None, None)
        get_reusable_executor().shutdown()

    async def singles(self, function: Any, arguments: Sequence[Any]) -> float:
        """Refuse."""
        del function, arguments
        raise NotOffered

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Make all calls."""
        return self.map_all(function, arguments)

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Make all calls."""
        call = delayed(function)
        results: list[Any] = self.parallel(call(argument) for argument in arguments)
        return results
