"""Watches a simulated cluster: what was safe once is there later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import lifecycle
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.manager import SimManager

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.master.state import TaskRecord
    from concurrent_framework.protocol.tasks import Assigned


class WatchedCluster(SimCluster):
    """Remembers what its masters had made safe.

    Attributes:
        newest: by task and attempt, how far the newest checkpoint was that a master had of it.

    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.newest: dict[int, dict[int, float]] = {}
        self._restorable: set[tuple[str, int]] = set()
        super().__init__(*args, **options)
        self.make_manager = self._watched

    def feed(self, events: Sequence[Any]) -> None:
        """Give events to the master, and look at what it has then."""
        super().feed(events)
        if not self.settled or self.master.state.trouble:
            return
        for record in self.master.state.tasks.values():
            if record.losses or record.failures or record.history:
                _count_attempts(record)
            if record.checkpoint and record.state == lifecycle.ASSIGNED:
                done = float(record.checkpoint)
                attempts = self.newest.setdefault(record.key, {})
                attempts[record.attempt] = max(done, attempts.get(record.attempt, 0.0))
        for application in self.master.state.applications.values():
            for sequence, system in application.systems.items():
                known = (application.session, sequence)
                if system.checkpoint:
                    self._restorable.add(known)
                assert known not in self._restorable or system.checkpoint, "a checkpoint is gone"

    def _watched(self, *arguments: Any) -> SimManager:
        return WatchedManager(self, *arguments)


class WatchedManager(SimManager):
    """Sees that each attempt goes on from what the ones before had made safe."""

    def __init__(self, cluster: WatchedCluster, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._cluster = cluster

    def begin(self, task: Assigned) -> float:
        attempts = self._cluster.newest.get(task.key, {})
        safe = max(
            (done for attempt, done in attempts.items() if attempt < task.attempt), default=0
        )
        done = float(task.restored or 0)
        assert done >= safe, f"attempt {task.attempt:x} goes on from {done:g}, {safe:g} was safe"
        return super().begin(task)


def _count_attempts(record: TaskRecord) -> None:
    """See that a task has had no more attempts than it may have, and that all of them are counted."""
    if record.state == lifecycle.FINISHING:
        return
    used = record.losses + record.failures
    if record.history:
        ended = sum(attempt.end != "given back" for attempt in record.history)
        assert used == ended, f"{used} attempts counted, {record.history}"
    if not record.cancelled:
        assert used <= max(record.spec.spec.max_attempts - 1, 0), "it had all its attempts"
