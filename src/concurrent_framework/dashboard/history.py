"""What the dashboard remembers of the last minutes, for its charts. PURE."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.cli.watching import Look

POINTS = 600
"""Looks kept for the charts of the cluster: ten minutes, at one look a second."""
NODE_POINTS = 60
"""The same for each node."""
RUNS = 4000
"""Runs kept for the stream."""


class Point(NamedTuple):
    """The cluster at one moment.

    Args:
        time: unix time in seconds.
        rate: tasks that ended per second.
        queued: tasks that wait.
        running: tasks at workers.
        errors: tasks that failed per second.
        utilisation: share of the executors that are busy, 0 to 1.

    """

    time: float
    rate: float
    queued: int
    running: int
    errors: float
    utilisation: float


class History:
    """Keeps the last points of the cluster and of each node, and the last runs."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=POINTS)
        self.nodes: dict[str, deque[float]] = {}
        self.runs: deque[dict[str, Any]] = deque(maxlen=RUNS)
        self._failed: tuple[float, int] | None = None

    def take(self, time: float, look: Look) -> None:
        """Add a look."""
        tasks = look.status["tasks"]
        executors = look.status["executors"]
        self.points.append(
            Point(
                time,
                look.rate,
                tasks["waiting"],
                tasks["assigned"],
                self._errors(time, tasks["failed"]),
                look.status["occupied"] / executors if executors else 0.0,
            )
        )
        there = {one["worker"] for one in look.nodes}
        for name in self.nodes.keys() - there:
            del self.nodes[name]
        for one in look.nodes:
            known = self.nodes.setdefault(one["worker"], deque(maxlen=NODE_POINTS))
            known.append(utilisation(one))

    def take_runs(self, events: Sequence[dict[str, Any]]) -> None:
        """Add the batches of tasks among events."""
        self.runs.extend(one for one in events if one["kind"] == "tasks.ran")

    def _errors(self, time: float, failed: int) -> float:
        """Return failures per second; those of applications that have ended are not counted."""
        before, self._failed = self._failed, (time, failed)
        if before is None or time <= before[0]:
            return 0.0
        return max(0.0, (failed - before[1]) / (time - before[0]))


def utilisation(node: dict[str, Any]) -> float:
    """Return which share of a node's executors has work, 0 to 1."""
    executors = node["executors"]
    return min(1.0, node["tasks"] / executors) if executors else 0.0
