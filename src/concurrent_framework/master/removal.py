"""Sending a worker away for good. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import workers

if TYPE_CHECKING:
    from concurrent_framework.master.reactor import MasterReactor


def remove(reactor: MasterReactor, name: str) -> list[str]:
    """Send away the workers of this name; what they have is run elsewhere, and they end.

    Raises:
        ValueError: there is none.

    """
    found = [one for one in reactor.state.workers.values() if one.name == name]
    if not found:
        there = ", ".join(one.name for one in reactor.state.workers.values()) or "none"
        message = f"there is no worker {name!r}; there are: {there}"
        raise ValueError(message)
    for worker in found:
        if worker.peer is not None:
            reactor.refuse(worker.peer, "role", "it was removed from the cluster")
        workers.lose(reactor, worker, "it was removed", blame=False)
    return [worker.name for worker in found]
