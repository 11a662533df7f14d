"""The strategies that come with Concurrent: where should the next tasks go? PURE."""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING

from concurrent_framework.components import Component, implements
from concurrent_framework.scheduling.base import IScheduleStrategy, Placement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.scheduling.base import Request, WorkerView

_GOLDEN_RATIO_64 = 0x9E3779B97F4A7C15
"""Multiplier of Fibonacci hashing (Knuth, TAOCP 3, 6.4)."""


def _usage(worker: WorkerView) -> float:
    return worker.occupied / worker.executors


def _fill(
    request: Request,
    workers: Sequence[WorkerView],
    cost: Callable[[WorkerView, float], float],
) -> list[Placement]:
    """Give portions to whichever worker is then the cheapest, until the tasks or the room end.

    A portion is what fills one worker's executors once, or a 16th of the request if that is more:
    the same spread as task by task at a fraction of the cost.
    """
    given = dict.fromkeys((worker.number for worker in workers), 0)
    # Of workers that are equally cheap, the first is taken.
    open_ = [(cost(worker, 0.0), place) for place, worker in enumerate(workers)]
    heapify(open_)
    left = request.tasks
    least = max(1, request.tasks // 16)
    while left and open_:
        place = open_[0][1]
        best = workers[place]
        portion = min(left, best.room - given[best.number], max(least, best.executors))
        given[best.number] += portion
        left -= portion
        if given[best.number] >= best.room:
            heappop(open_)
        else:
            heapreplace(open_, (cost(best, given[best.number] / best.executors), place))
    return [Placement(number, count) for number, count in given.items() if count]


class LeastLoaded(Component):
    """Prefers the worker that uses the smallest part of its executors."""

    implements(IScheduleStrategy)
    name = "least-loaded"

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Even out how much of each worker is in use."""
        return _fill(request, workers, lambda worker, given: _usage(worker) + given)


class Fastest(Component):
    """Prefers the worker that would finish the task first, by its measured speed and load."""

    implements(IScheduleStrategy)
    name = "fastest"

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Even out the time at which each worker would be through."""
        seconds = request.seconds or 1.0

        def finish(worker: WorkerView, given: float) -> float:
            queued = worker.load / worker.executors if request.seconds else _usage(worker)
            return (queued + (given + 1.0) * seconds) / worker.speed

        return _fill(request, workers, finish)


class Locality(Component):
    """Prefers workers that hold the tasks' data, then the least loaded."""

    implements(IScheduleStrategy)
    name = "locality"

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Fill those with the most of the data first."""
        most = max(worker.holds for worker in workers)
        if most:
            workers = [worker for worker in workers if worker.holds == most]
        return _fill(request, workers, lambda worker, given: _usage(worker) + given)


class RandomOfTwo(Component):
    """Takes two workers by chance and the less loaded of them.

    Nearly as even as looking at all, at a constant cost: the power of two choices
    (Mitzenmacher 2001).
    """

    implements(IScheduleStrategy)
    name = "random-of-two"

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Choose by a hash of the request's turn."""
        count = len(workers)
        chance = request.turn * _GOLDEN_RATIO_64 % 2**64 >> 16
        first = chance % count
        second = (first + 1 + chance // count % max(count - 1, 1)) % count
        best = min(workers[first], workers[second], key=_usage)
        return [Placement(best.number, min(request.tasks, best.room, max(1, best.executors)))]


class RoundRobin(Component):
    """Goes round the workers, whatever their load."""

    implements(IScheduleStrategy)
    name = "round-robin"

    def place(self, request: Request, workers: Sequence[WorkerView]) -> list[Placement]:
        """Give one worker its turn, as many tasks as it has executors."""
        in_order = sorted(workers)
        worker = in_order[request.turn % len(in_order)]
        return [Placement(worker.number, min(request.tasks, worker.room, worker.executors))]
