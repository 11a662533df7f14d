"""ipyparallel with a load-balanced view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipyparallel

from benchmarks.peer import EXECUTORS, BlockingPeer, chunk_size

if TYPE_CHECKING:
    from collections.abc import Sequence


class Ipyparallel(BlockingPeer):
    """A controller and an engine per executor; maps in chunks, shares by pushing to the engines."""

    def start(self) -> None:
        """Start controller and engines."""
        self.cluster = ipyparallel.Cluster(n=EXECUTORS, log_level=50)
        self.client = self.cluster.start_and_connect_sync()
        self.client.wait_for_engines(EXECUTORS, interactive=False)
        self.view = self.client.load_balanced_view()

    def stop(self) -> None:
        """Stop them."""
        self.client.close()
        self.cluster.stop_cluster_sync()

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one."""
        submit = self.view.apply_async
        waiting = [submit(function, argument) for argument in arguments]
        return [result.get() for result in waiting]

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Map in chunks."""
        chunk = chunk_size(len(arguments))
        return list(self.view.map_sync(function, arguments, chunksize=chunk))

    def share(self, function: Any, data: object, count: int) -> Sequence[Any]:
        """Push the argument to all engines first, and refer to it."""
        self.client[:].push({"shared": data}, block=True)
        return self.submit_each(function, [ipyparallel.Reference("shared")] * count)
