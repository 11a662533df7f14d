"""What the dashboard remembers of the last minutes, for its charts. PURE."""

from __future__ import annotations

from collections import deque
from math import ceil, log2
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.cli.watching import Look

POINTS = 600
"""Looks kept for the charts of the cluster: ten minutes, at one look a second."""
NODE_POINTS = 60
"""The same for each node."""
RUNS = 4000
"""Runs kept for the stream."""
SHOWN = 150
"""Of these points, a chart shows so many: it is not wider, and each travels to the browser."""
MINUTE = 60.0
GAP = 15.0
"""Seconds between two looks after which a curve is cut: nobody looked in between."""


class Point(NamedTuple):
    """The cluster at one moment.

    Args:
        time: unix time in seconds.
        rate: tasks that ended per second.
        queued: tasks that wait.
        running: tasks at workers.
        errors: tasks that failed in the minute before.
        utilisation: share of the executors that are busy, 0 to 1.

    """

    time: float
    rate: float
    queued: int
    running: int
    errors: float
    utilisation: float

    @property
    def busy(self) -> float:
        """The same in percent."""
        return 100 * self.utilisation


class History:
    """Keeps the last points of the cluster and of each node, and the last runs."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=POINTS)
        self.nodes: dict[str, deque[float]] = {}
        self.runs: deque[dict[str, Any]] = deque(maxlen=RUNS)
        self._failed: tuple[float, int] | None = None
        self._failures: deque[tuple[float, float]] = deque()

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
        """Return failures of the last minute; those of applications that have ended are not counted."""
        before, self._failed = self._failed, (time, failed)
        if before is not None and failed > before[1]:
            # Of a longer time in which nobody looked, a minute has its share.
            share = min(1.0, MINUTE / max(time - before[0], 1e-9))
            self._failures.append((time, share * (failed - before[1])))
        while self._failures and self._failures[0][0] <= time - MINUTE:
            self._failures.popleft()
        return sum(count for _, count in self._failures)


def thinned(points: Sequence[Point], most: int = SHOWN) -> list[Point]:
    """Return so many of the points at most, the same ones when there are more at the end.

    Example:
        >>> points = [Point(time, 1.0, 0, 0, 0.0, 0.0) for time in range(1000)]
        >>> len(thinned(points, 100))
        63

    """
    if len(points) <= most:
        return list(points)
    step = (points[-1].time - points[0].time) / most
    # Steps of whole powers of two stay the same for long, so that a curve does not tremble.
    step = 2.0 ** ceil(log2(step)) if step > 0 else 1.0
    return list({int(one.time // step): one for one in points}.values())


def with_gaps(points: Iterable[Point]) -> list[Point | float]:
    """Return points, and a mere moment between two that are too far apart for a line between them.

    Example:
        >>> early, late = (Point(time, 1.0, 0, 0, 0.0, 0.0) for time in (0.0, 100.0))
        >>> with_gaps([early, late])[1]
        50.0

    """
    found: list[Point | float] = []
    for point in points:
        before = found[-1] if found else point
        if isinstance(before, Point) and point.time - before.time > GAP:
            found.append((before.time + point.time) / 2)
        found.append(point)
    return found


def utilisation(node: dict[str, Any]) -> float:
    """Return which share of a node's executors has work, 0 to 1."""
    executors = node["executors"]
    return min(1.0, node["tasks"] / executors) if executors else 0.0
