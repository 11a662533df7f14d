"""Ray's tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray
from ray.util.multiprocessing import Pool

from benchmarks.peer import EXECUTORS
from benchmarks.peers.ray_session import RayPeer

if TYPE_CHECKING:
    from collections.abc import Sequence


class RayTasks(RayPeer):
    """Remote functions, and Ray's own `multiprocessing.Pool` to map."""

    pool: Any = None

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one and get all results at once."""
        call = ray.remote(function)
        results: list[Any] = ray.get([call.remote(argument) for argument in arguments])
        return results

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Map."""
        if self.pool is None:
            self.pool = Pool(EXECUTORS)
        results: list[Any] = self.pool.map(function, arguments)
        return results

    def share(self, function: Any, data: object, count: int) -> Sequence[Any]:
        """Put the argument into the object store first."""
        return self.submit_each(function, [ray.put(data)] * count)
