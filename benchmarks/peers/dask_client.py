"""dask.distributed on a local cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distributed import Client, LocalCluster

from benchmarks.peer import EXECUTORS, BlockingPeer

if TYPE_CHECKING:
    from collections.abc import Sequence


class Dask(BlockingPeer):
    """A worker process per executor with one thread, no dashboard, results gathered at once."""

    def start(self) -> None:
        """Start scheduler and workers."""
        self.cluster = LocalCluster(
            n_workers=EXECUTORS, threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
        self.client = Client(self.cluster)

    def stop(self) -> None:
        """Stop them."""
        self.client.close()
        self.cluster.close()

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one; `pure=False`, or equal ones would run once."""
        submit = self.client.submit
        futures = [submit(function, argument, pure=False) for argument in arguments]
        results: list[Any] = self.client.gather(futures)
        return results

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Map."""
        results: list[Any] = self.client.gather(self.client.map(function, arguments, pure=False))
        return results

    def share(self, function: Any, data: object, count: int) -> Sequence[Any]:
        """Scatter the argument to all workers first."""
        there = self.client.scatter(data, broadcast=True)
        return self.submit_each(function, [there] * count)
