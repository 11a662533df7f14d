"""When tasks are to be looked at again, without anything being done for them until then. PURE."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

NOBODY = 0
"""Stands for no task: the master is to look whether there is something for it to do."""
LEAST = 1024
"""Entries below which it is not worth while to look for ones that have become pointless."""


class Agenda:
    """Times at which tasks are due, the earliest first; a task may be due several times.

    An entry stays when its task has ended, until its time has come or `compact` drops it.

    Example:
        >>> agenda = Agenda()
        >>> agenda.add(2.0, 20)
        >>> agenda.add(1.0, 10)
        >>> agenda.next, agenda.take(1.5), agenda.next
        (1.0, [10], 2.0)

    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._limit = LEAST

    @property
    def next(self) -> float:
        """When the next task is due; infinity if none is."""
        return self._heap[0][0] if self._heap else float("inf")

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, key: int) -> None:
        """Have a task looked at, at a time in seconds."""
        heapq.heappush(self._heap, (due, key))

    def take(self, now: float) -> list[int]:
        """Remove and return the keys of the tasks that are due, the earliest first."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[1])
        return due

    def compact(self, known: Container[int]) -> None:
        """Drop the entries of tasks that are not known any more, once there may be many of them."""
        if len(self._heap) < self._limit:
            return
        self._heap = [entry for entry in self._heap if entry[1] in known or entry[1] == NOBODY]
        heapq.heapify(self._heap)
        self._limit = max(LEAST, 2 * len(self._heap))
