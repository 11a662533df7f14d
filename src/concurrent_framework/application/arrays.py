"""Task arrays: a function called with each item of an iterable, in slices of fitting size."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Iterable
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework.application.outcomes import error_of
from concurrent_framework.model.errors import NotSerializable, UsageError
from concurrent_framework.tasks.arrays import SLICE_SECONDS, Block, Slice, slice_class
from concurrent_framework.tasks.payload import dump_items, load_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from concurrent_framework.application.sharing import Sharing
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.protocol.tasks import Outcome
    from concurrent_framework.tasks.arrays import Mapped
    from concurrent_framework.tasks.shared import Shared

AHEAD = 8
"""Slices under way for each executor of the swarm, at most, before more are drawn."""
SLICE_ITEMS = 1 << 16
SLICE_BYTES = 1 << 20
"""What a slice holds at most, and what its results should not exceed; one item may be larger."""
BLOCK_ITEMS = 1024
BLOCK_BYTES = 1 << 16
BLOCK_SECONDS = 0.001
"""How long drawing and pickling a block should take, since callbacks wait meanwhile."""
GROWTH = 8
"""How many times larger than what was measured a slice may be."""
DIVIDED = frozenset({"worker_lost", "timeout", "resource_exceeded"})
"""Failures of a whole slice that one of its items may be to blame for."""


class TaskArray:
    """What `push_map` returns: a function and the items it is called with.

    Attributes:
        name: how people see it.
        count: items drawn from the iterable so far.
        ended: items that have a result or an error.
        failed: those among them that have an error.
        exhausted: whether the iterable has nothing left.
        cancelled: whether it was cancelled: nothing more is drawn.

    """

    def __init__(self, name: str, *, collect: bool = False) -> None:
        self.name = name
        self.count = 0
        self.ended = 0
        self.failed = 0
        self.exhausted = False
        self.cancelled = False
        self._collected: dict[int, list[Any]] | None = {} if collect else None

    @property
    def finished(self) -> bool:
        """Whether every item has ended, and the iterable too."""
        return self.exhausted and self.ended == self.count

    @property
    def results(self) -> list[Any]:
        """The results in the order of the items, a `TaskError` in the place of one that failed.

        Raises:
            UsageError: if the array does not collect them, or has not finished.

        """
        if self._collected is None:
            message = f"the array {self.name} keeps no results: push_map(…, collect=True)"
            raise UsageError(message)
        if not self.finished:
            message = f"the array {self.name} has not finished: wait for array_finished"
            raise UsageError(message)
        if len(self._collected) > 1:
            ordered = [self._collected[first] for first in sorted(self._collected)]
            self._collected = {0: [result for part in ordered for result in part]}
        return self._collected.get(0, [])

    def take(self, first: int, results: list[Any], failed: int) -> None:
        """Take in what came of some items; the framework calls this."""
        self.ended += len(results)
        self.failed += failed
        if self._collected is not None:
            self._collected[first] = results

    def __repr__(self) -> str:
        return f"<TaskArray {self.name!r}, {self.ended} of {self.count} items ended>"


class SliceEnd(NamedTuple):
    """What an outcome means: results to be told, or slices to push instead, or both."""

    array: TaskArray
    first: int
    results: list[Any]
    again: tuple[Slice, ...] = ()


class Drawing:
    """One array as it is drawn: how far, how large its slices are, and how many are under way."""

    def __init__(
        self, array: TaskArray, cls: type[Slice], items: Iterable[Any], sharing: Sharing
    ) -> None:
        self.array = array
        self.cls = cls
        self.size = 1
        self.under_way = 0
        self._items = iter(items)
        self._block = 1
        self._seconds: float | None = None
        self._sharing = sharing
        self._kept: set[Shared] = set()

    def slices(self) -> Iterator[Slice]:
        """Draw slice after slice."""
        array = self.array
        while not array.exhausted:
            first, blocks = array.count, list(self._draw())
            if blocks:
                self.under_way += 1
                yield self.cls(first, blocks)

    def _draw(self) -> Iterator[Block]:
        """Draw the blocks of one slice."""
        array = self.array
        left, room = self.size, SLICE_BYTES
        while left > 0 and room > 0 and not array.exhausted:
            began = time.perf_counter()
            wanted = min(left, self._block)
            items = list(islice(self._items, wanted))
            array.exhausted = len(items) < wanted
            if not items:
                return
            data = dump_items(items, array.count, array.name)
            if self._sharing.active:
                # Once they are pickled, the items themselves need not live any longer.
                self._kept.update(self._sharing.references_in(data))
            array.count += len(items)
            yield Block(data, 0, len(items))
            left -= len(items)
            room -= len(data)
            self._fit_block(len(items), len(data), time.perf_counter() - began)

    def _fit_block(self, items: int, size: int, seconds: float) -> None:
        by_time = items * BLOCK_SECONDS / seconds
        by_size = items * BLOCK_BYTES / size
        self._block = max(1, int(min(by_time, by_size, 4 * self._block, BLOCK_ITEMS)))

    def measured(self, count: int, seconds: float, size: int) -> None:
        """Learn how long so many items took and how large their results are."""
        each = seconds / count
        if self._seconds is None:
            self._seconds = each
        elif each > self._seconds:
            # One long item says more than many short ones: it must not have others behind it.
            self._seconds = (self._seconds + each) / 2
        else:
            self._seconds = sqrt(self._seconds * each)
        by_time = SLICE_SECONDS / max(self._seconds, 1e-9)
        by_size = count * SLICE_BYTES / max(size, 1)
        self.size = max(1, int(min(by_time, by_size, GROWTH * max(count, self.size), SLICE_ITEMS)))


class Arrays:
    """The arrays of one application or task system that have not finished.

    Args:
        executors: tells how many tasks the swarm can run at a time.
        sharing: the shared objects that items may refer to.

    """

    def __init__(self, executors: Callable[[], int], sharing: Sharing) -> None:
        self._executors = executors
        self._sharing = sharing
        self.drawings: dict[type, Drawing] = {}
        """By the class of their slices, which each array has for itself."""
        self._of: dict[TaskArray, Drawing] = {}

    def open(
        self, function: Any, items: Any, options: dict[str, Any], *, collect: bool
    ) -> TaskArray:
        """Begin an array; raises UsageError if something cannot be."""
        if not isinstance(items, Iterable):
            kind = "an async iterable" if isinstance(items, AsyncIterable) else repr(items)[:200]
            message = f"push_map takes an iterable of items (a list, a generator …), not {kind}"
            raise UsageError(message)
        cls = slice_class(function, options)
        return self._add(cls, items, collect=collect)

    def _add(self, cls: type[Slice], items: Iterable[Any], *, collect: bool) -> TaskArray:
        array = TaskArray(str(cls.name), collect=collect)
        self._of[array] = self.drawings[cls] = Drawing(array, cls, items, self._sharing)
        return array

    def slices(self, array: TaskArray) -> Iterator[Slice]:
        """Draw an array's slices."""
        return self._of[array].slices()

    def wants(self, array: TaskArray) -> bool:
        """Whether it is time to draw more of an array, if only to learn that there is no more."""
        drawing = self._of.get(array)
        return drawing is None or drawing.under_way < AHEAD * max(self._executors(), 1)

    def adopt(self, task: Any) -> None:
        """Take in the array of a slice that another process of the application pushed."""
        if isinstance(task, Slice) and type(task) not in self.drawings:
            self._add(type(task), (), collect=False)

    def class_of(self, array: TaskArray) -> type[Slice] | None:
        """Return the class of an array's slices; None if it has finished."""
        drawing = self._of.get(array)
        return None if drawing is None else drawing.cls

    def ended(self, task: Slice, outcome: Outcome) -> SliceEnd:
        """Take in the end of a slice."""
        drawing = self.drawings[type(task)]
        array = drawing.array
        drawing.under_way -= 1
        if outcome.failure is not None:
            if _divisible(task, outcome.failure) and not array.cancelled:
                middle = task.count // 2
                parts = task.part(0, middle), task.part(middle, task.count)
                drawing.under_way += len(parts)
                return SliceEnd(array, task.first, [], parts)
            results = [error_of(outcome.failure)] * task.count
            array.take(task.first, results, len(results))
            return SliceEnd(array, task.first, results)
        mapped: Mapped = load_result(outcome.result)  # type: ignore[arg-type]
        drawing.under_way += mapped.parts
        drawing.measured(mapped.done, outcome.seconds, len(mapped.results))
        results = _results(mapped)
        array.take(task.first, results, len(mapped.failures))
        return SliceEnd(array, task.first, results)

    def close_finished(self) -> list[TaskArray]:
        """Forget the arrays that have finished and return them."""
        done = [one for one in self._of.values() if one.array.finished]
        for drawing in done:
            del self.drawings[drawing.cls], self._of[drawing.array]
        return [drawing.array for drawing in done]


def _divisible(task: Slice, failure: Failure) -> bool:
    """Whether to find out which item of a slice that was lost is to blame, sparing the others."""
    return failure.kind in DIVIDED and task.idempotent and task.count > 1


def _results(mapped: Mapped) -> list[Any]:
    """Return the results of a slice, with errors where items have failed."""
    try:
        results: list[Any] = load_result(mapped.results)
    except NotSerializable as error:
        mapped.failures.update(dict.fromkeys(range(mapped.done), error.failure))
        results = [None] * mapped.done
    for at, failure in mapped.failures.items():
        results[at] = error_of(failure)
    return results
