"""Tasks that wait, sorted by what they need, and how many to send at a time. PURE."""

from __future__ import annotations

from collections import deque
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from concurrent_framework.managers.pool_executor import ExecutorRecord
    from concurrent_framework.managers.slots import Share
    from concurrent_framework.model.spec import TaskSpec
    from concurrent_framework.protocol.tasks import Assigned

CHUNK_SECONDS = 0.050
"""Run time of what an executor is sent at a time: to be asked for more costs a turn of the worker."""
SHARED_CHUNK_SECONDS = 0.005
"""The same while others want executors too."""
CHUNK_SHARE_SECONDS = 0.0001
"""A chunk of less work than this is not divided any further for the sake of idle executors."""
CHUNK_TASKS = 512
CHUNK_BYTES = 1 << 20
SHORT_SECONDS = 0.01
"""Tasks that take less wait in executors also while there is room beside them, and are left there."""
_TASK_OVERHEAD = 3e-6
_SAMPLE = 8


class SpecRecord:
    """A spec, the lane of its tasks, and how long they take."""

    __slots__ = ("lane", "seconds", "spec")

    def __init__(self, spec: TaskSpec, lane: Lane) -> None:
        self.spec = spec
        self.lane = lane
        self.seconds: float | None = None

    def measured(self, count: int, total: float) -> None:
        """Learn that so many tasks took so many seconds."""
        mean = total / count + _TASK_OVERHEAD
        if self.seconds is None or count >= _SAMPLE:
            self.seconds = mean
        else:
            self.seconds = (self.seconds + mean) / 2


class Lane:
    """Tasks of one application that need the same resources, in order of arrival.

    `timeout` is the shortest one among their specs, 0 if they have none.
    """

    __slots__ = ("_arrivals", "application", "busy", "queue", "runnable", "share", "timeout")

    def __init__(self, application: int, share: Share, *, runnable: bool) -> None:
        self.application = application
        self.share = share
        self.runnable = runnable
        self.timeout = 0.0
        self.queue: deque[Assigned] = deque()
        self.busy: dict[int, ExecutorRecord] = {}
        self._arrivals: deque[list[int]] = deque()

    @property
    def oldest(self) -> int:
        """When the first task that waits arrived, as counted by the pool."""
        return self._arrivals[0][0]

    @property
    def newest(self) -> int:
        """When the last task that waits arrived."""
        return self._arrivals[-1][0]

    def arrived(self, count: int, arrival: int) -> None:
        """Note when the last `count` tasks of the queue arrived."""
        if self._arrivals and self._arrivals[-1][0] == arrival:
            self._arrivals[-1][1] += count
        else:
            self._arrivals.append([arrival, count])

    def put_back(self, rows: Sequence[Assigned], specs: dict[int, SpecRecord]) -> None:
        """Queue tasks again, before all others, and in order with those that came back before."""
        if not rows:
            return
        back = list(rows)
        if self._arrivals and not self._arrivals[0][0]:
            _, count = self._arrivals.popleft()
            back += [self.queue.popleft() for _ in range(count)]
            back.sort(key=lambda row: (-specs[row.spec].spec.priority, row.key))
        self.queue.extendleft(reversed(back))
        self._arrivals.appendleft([0, len(back)])

    def drop_last(self) -> Assigned:
        """Take out the task that arrived last."""
        self._arrivals[-1][1] -= 1
        if not self._arrivals[-1][1]:
            self._arrivals.pop()
        return self.queue.pop()

    def remove(self, tasks: Collection[tuple[int, int]]) -> list[Assigned]:
        """Take out the tasks that are in `tasks` as (key, attempt)."""
        removed: list[Assigned] = []
        kept: deque[Assigned] = deque()
        arrivals: deque[list[int]] = deque()
        for arrival, count in self._arrivals:
            rows = [self.queue.popleft() for _ in range(count)]
            stay = [row for row in rows if (row.key, row.attempt) not in tasks]
            if len(stay) < count:
                removed += [row for row in rows if (row.key, row.attempt) in tasks]
            if stay:
                kept.extend(stay)
                arrivals.append([arrival, len(stay)])
        self.queue, self._arrivals = kept, arrivals
        return removed

    def clear(self) -> list[Assigned]:
        """Take out everything."""
        rows = list(self.queue)
        self.queue.clear()
        self._arrivals.clear()
        return rows

    def take(self, specs: dict[int, SpecRecord], executors: int, seconds: float) -> list[Assigned]:
        """Take the next chunk off the queue.

        Args:
            specs: what is known about run times.
            executors: among how many the queue should be divided.
            seconds: run time that it should have at most.

        """
        queue = self.queue
        number = queue[0].spec
        known = specs[number].seconds
        each = seconds if known is None else known
        here = len(queue) + sum(len(one.flight) for one in self.busy.values())
        share = min(len(queue) // executors, here // (2 * executors))
        share = max(share, ceil(CHUNK_SHARE_SECONDS / each))
        count = min(max(1, int(seconds / each)), share, CHUNK_TASKS, len(queue))
        rows = [queue.popleft() for _ in range(count)]
        if count > 1:
            size = sum([len(row.payload) for row in rows])  # type: ignore[arg-type, misc]
            if size > CHUNK_BYTES or {row.spec for row in rows} != {number}:
                keep = _prefix(rows, specs, seconds)
                queue.extendleft(reversed(rows[keep:]))
                del rows[keep:]
        self._drop_arrivals(len(rows))
        return rows

    def check_invariants(self) -> None:
        """Raise AssertionError if the state contradicts itself; for tests."""
        assert sum(count for _, count in self._arrivals) == len(self.queue)
        assert all(count > 0 for _, count in self._arrivals)

    def _drop_arrivals(self, count: int) -> None:
        arrivals = self._arrivals
        while count:
            first = arrivals[0]
            if first[1] > count:
                first[1] -= count
                return
            count -= first[1]
            arrivals.popleft()


def _prefix(rows: Sequence[Assigned], specs: dict[int, SpecRecord], most: float) -> int:
    """Return how many of these make a chunk, if they differ or are large; at least one."""
    seconds, size = 0.0, 0
    for count, row in enumerate(rows):
        known = specs[row.spec].seconds
        seconds += most if known is None else known
        size += len(row.payload)  # type: ignore[arg-type]
        if count and (seconds > most or size > CHUNK_BYTES):
            return count
    return len(rows)
