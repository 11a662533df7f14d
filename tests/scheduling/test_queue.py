"""In which order ready tasks wait."""

from __future__ import annotations

from typing import NamedTuple

from concurrent_framework.model.resources import Resources
from concurrent_framework.scheduling.queue import GroupKey, ReadyQueue

KEY = GroupKey(0, 1, 1, suspect=False)


class Waits(NamedTuple):
    """A task that waits."""

    key: int
    arrived: float
    state: int = 0


def test_what_several_workers_give_back_is_in_the_order_of_arrival_again() -> None:
    queue = ReadyQueue()
    tasks = [Waits(number, number // 4) for number in range(40)]
    queue.add(KEY, Resources(), tasks)
    (group,) = queue.groups()
    first, second, third = (queue.take(group, 10) for _ in range(3))
    queue.add(KEY, Resources(), first[5:], front=True)
    queue.add(KEY, Resources(), [*third[3:], *second[2:4]], front=True)
    queue.add(KEY, Resources(), second[7:], front=True)
    back = [*first[5:], *second[2:4], *second[7:], *third[3:]]
    assert queue.take(group, 40) == [*back, *tasks[30:]]
