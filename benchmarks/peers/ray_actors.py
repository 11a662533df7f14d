"""Ray's actors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray
from ray.util import ActorPool

from benchmarks.peer import EXECUTORS
from benchmarks.peers.ray_session import RayPeer

if TYPE_CHECKING:
    from collections.abc import Sequence


class Servant:
    """Calls what it is told to."""

    def call(self, function: Any, argument: object) -> Any:
        """Call it."""
        return function(argument)


class RayActors(RayPeer):
    """An actor per executor, served in turn; `ActorPool` to map."""

    def start(self) -> None:
        """Start Ray and the actors."""
        super().start()
        servant: Any = ray.remote(Servant)
        self.servants = [servant.remote() for _ in range(EXECUTORS)]

    def submit_each(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one and get all results at once."""
        calls = [servant.call for servant in self.servants]
        count = len(calls)
        references = [
            calls[index % count].remote(function, argument)
            for index, argument in enumerate(arguments)
        ]
        results: list[Any] = ray.get(references)
        return results

    def map_all(self, function: Any, arguments: Sequence[Any]) -> Sequence[Any]:
        """Map."""
        pool = ActorPool(self.servants)
        return list(
            pool.map(lambda servant, value: servant.call.remote(function, value), arguments)
        )

    def share(self, function: Any, data: object, count: int) -> Sequence[Any]:
        """Put the argument into the object store first."""
        return self.submit_each(function, [ray.put(data)] * count)
