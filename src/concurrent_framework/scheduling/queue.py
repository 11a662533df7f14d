"""Tasks that are ready to run, in the order in which they should. PURE.

Priority first, then weighted fairness between applications, then order of arrival. Tasks of one
spec form a group: whether one of them can be placed, and how many at a time, holds for all.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heapreplace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from concurrent_framework.scheduling.fairness import FairShares

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from concurrent_framework.model.resources import Resources

_WAITING = 0
"""`master.lifecycle.WAITING`: a record in another state was cancelled meanwhile."""


class GroupKey(NamedTuple):
    """What the tasks of a group share; `retried` ones have failed before and should go elsewhere."""

    priority: int
    application: int
    spec: int
    suspect: bool
    retried: bool = False


class Waiting(Protocol):
    """What the queue needs of a task: `arrived` is when it was submitted, in seconds."""

    key: int
    state: int
    arrived: float


class Group:
    """Ready tasks that are alike for the scheduler, oldest first.

    `live` counts those that are still waiting; records that were cancelled stay until they come to
    the front.
    """

    __slots__ = ("key", "live", "need", "records")

    def __init__(self, key: GroupKey, need: Resources) -> None:
        self.key = key
        self.need = need
        self.records: deque[Any] = deque()
        self.live = 0

    def put_back(self, records: list[Any]) -> None:
        """Add records that were here before; several workers may give some back, in any order."""
        back = list(records)
        newest = max(map(_position, back))
        while self.records and _position(self.records[0]) < newest:
            back.append(self.records.popleft())
        back.sort(key=_position, reverse=True)
        self.records.extendleft(back)

    def arrival(self) -> tuple[float, int]:
        """Return when the oldest of its tasks was submitted, and which it is."""
        records = self.records
        while records[0].state != _WAITING:
            records.popleft()
        return _position(records[0])


class Turns:
    """Whose turn it is in a scheduling round: by priority, fair share, and order of arrival.

    An application is looked at again only when it had its turn, so a round costs as much as there are
    applications and turns, and not their product.

    Args:
        shares: what applications were given.
        paused: those that are held back.
        levels: the groups of each application, by priority, the highest first.

    """

    def __init__(
        self,
        shares: FairShares,
        paused: Container[int],
        levels: list[dict[int, dict[GroupKey, Group]]],
    ) -> None:
        self._shares = shares
        self._paused = paused
        self._levels = iter(levels)
        self._level: dict[int, dict[GroupKey, Group]] = {}
        self._order: list[tuple[float, int, int]] = []
        self._blocked: set[GroupKey] = set()

    def block(self, group: Group) -> None:
        """Leave a group out for the rest of the round."""
        self._blocked.add(group.key)

    def next(self) -> Group | None:
        """Return the group whose turn it is; None if all are through."""
        order, used_by = self._order, self._shares.used
        while True:
            while order:
                used, place, application = order[0]
                group = self._first_of(application)
                if group is None:
                    heappop(order)
                elif (now := used_by(application)) > used:
                    heapreplace(order, (now, place, application))
                else:
                    return group
            level = next(self._levels, None)
            if level is None:
                return None
            self._level = level
            order += [
                (used_by(application), place, application)
                for place, application in enumerate(level)
                if application not in self._paused
            ]
            heapify(order)

    def _first_of(self, application: int) -> Group | None:
        groups = self._level.get(application)
        if not groups:
            return None
        blocked = self._blocked
        ready = [group for group in groups.values() if group.live and group.key not in blocked]
        if len(ready) < 2:
            return ready[0] if ready else None
        return min(ready, key=_arrival)


class ReadyQueue:
    """The ready tasks of all applications."""

    def __init__(self) -> None:
        self.shares = FairShares()
        self.paused: set[int] = set()
        self._levels: dict[int, dict[int, dict[GroupKey, Group]]] = {}
        self._order: list[int] = []
        self.live = 0

    def __iter__(self) -> Iterator[Any]:
        """Iterate over every record that is kept, stale ones included."""
        for level in self._levels.values():
            for groups in level.values():
                yield from chain.from_iterable(group.records for group in groups.values())

    def groups(self) -> Iterator[Group]:
        """Iterate over the groups with live tasks."""
        for level in self._levels.values():
            for groups in level.values():
                yield from (group for group in groups.values() if group.live)

    def add(
        self, key: GroupKey, need: Resources, records: list[Any], *, front: bool = False
    ) -> None:
        """Add tasks of one kind at the back, or where they were when they were here before."""
        level = self._levels.get(key.priority)
        if level is None:
            level = self._levels[key.priority] = {}
            self._order = sorted(self._levels, reverse=True)
        groups = level.get(key.application)
        if groups is None:
            groups = level[key.application] = {}
            self.shares.join(key.application)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(key, need)
        if front:
            group.put_back(records)
        else:
            group.records.extend(records)
        group.live += len(records)
        self.live += len(records)

    def turns(self) -> Turns:
        """Return whose turn it is, for one scheduling round."""
        return Turns(self.shares, self.paused, [self._levels[one] for one in self._order])

    def ready(self) -> int:
        """Return how many live tasks belong to applications that are not paused."""
        if not self.paused:
            return self.live
        return sum(
            group.live for group in self.groups() if group.key.application not in self.paused
        )

    def withdraw_all(self, application: int) -> list[Any]:
        """Remove and return the live tasks of an application, those of one group in their order."""
        groups = [group for group in self.groups() if group.key.application == application]
        return [record for group in groups for record in self.take(group, group.live)]

    def take(self, group: Group, count: int) -> list[Any]:
        """Remove and return up to `count` live tasks from the front of a group."""
        taken: list[Any] = []
        records = group.records
        count = min(count, group.live)
        while len(taken) < count:
            record = records.popleft()
            if record.state == _WAITING:
                taken.append(record)
        group.live -= count
        self.live -= count
        if not group.live:
            self._discard(group)
        return taken

    def remove(self, key: GroupKey, record: Waiting) -> None:
        """Take one task out, wherever in its group it is; O(group)."""
        self._levels[key.priority][key.application][key].records.remove(record)
        self.withdraw(key, 1)

    def withdraw(self, key: GroupKey, count: int) -> None:
        """Count off tasks of a group that will never be waiting again; they are skipped later."""
        group = self._levels[key.priority][key.application][key]
        group.live -= count
        self.live -= count
        if not group.live:
            self._discard(group)

    def competitors(self, priority: int) -> int:
        """Return how many applications have tasks of this priority."""
        return len(self._levels.get(priority, ()))

    def _discard(self, group: Group) -> None:
        level = self._levels[group.key.priority]
        groups = level[group.key.application]
        del groups[group.key]
        if groups:
            return
        del level[group.key.application]
        self.shares.leave(group.key.application)
        if not level:
            del self._levels[group.key.priority]
            self._order = sorted(self._levels, reverse=True)


def _arrival(group: Group) -> tuple[float, int]:
    return group.arrival()


def _position(record: Waiting) -> tuple[float, int]:
    return record.arrived, record.key
