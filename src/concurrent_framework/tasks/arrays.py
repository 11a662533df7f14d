"""Slices of a task array: what `push_map` sends to workers, and how one that takes long is divided.

A slice is a task that calls a function with consecutive items of an array. It holds them in blocks,
each pickled by itself, so that a slice can be divided without looking into them.
"""

from __future__ import annotations

import pickle
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec.structs import replace

from concurrent_framework.model.errors import NotSerializable, UsageError
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.tasks.current import current_task
from concurrent_framework.tasks.decorator import FunctionTask, class_around
from concurrent_framework.tasks.payload import dump_result
from concurrent_framework.tasks.specs import SETTINGS
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SLICE_SECONDS = 0.005
"""Run time that a slice is meant to have: much longer than what it costs to send one."""
SPLIT_SECONDS = 0.02
"""A slice that has run for longer hands its rest back as new slices, for executors that are idle."""
_OF_TASKS = ("retry_on", "backoff", "deadline")
MAX_PARTS = 32
"""Into how many slices a rest is divided at most."""


class Block(NamedTuple):
    """Some of the items that were pickled together: those from `start` to before `stop`."""

    data: bytes
    start: int
    stop: int


class Mapped(NamedTuple):
    """What came of the items that a slice was through with, the first ones it had.

    Args:
        done: how many they are.
        results: the pickled list of results; None in the place of a failure.
        failures: those that failed, by their place among the results.
        parts: into how many slices the rest was divided.

    """

    done: int
    results: bytes
    failures: dict[int, Failure]
    parts: int = 0


class Slice(Task):
    """Calls a function with each of some consecutive items; `slice_class` makes its subclasses.

    Attributes:
        first: index of its first item in the array.
        blocks: the items.

    """

    function: ClassVar[Callable[[Any], Any]]
    """What is called with each item."""
    kept_if_failed: ClassVar[bool] = False
    """Attempting one again would repeat items that have been told of."""

    def __init__(self, first: int, blocks: Sequence[Block]) -> None:
        self.first = first
        self.blocks = tuple(blocks)

    @property
    def count(self) -> int:
        """How many items it holds."""
        return sum(stop - start for _, start, stop in self.blocks)

    def __call__(self) -> Mapped:
        """Work for a while; what is left then becomes new slices."""
        results: list[Any] = []
        failures: dict[int, Failure] = {}
        here = current_task()
        began = perf_counter()
        with here.calling_many():
            for block in self.blocks:
                if not self._work(block, began + SPLIT_SECONDS, results, failures):
                    break
        done, seconds = len(results), perf_counter() - began
        parts = list(self.rest(done, seconds / done))
        here.push_tasks(parts)
        return Mapped(done, self._dump(results, failures), failures, len(parts))

    def rest(self, done: int, each: float) -> Iterator[Slice]:
        """Make slices of what is left after `done` items that took `each` second on average."""
        left = self.count - done
        parts = min(max(2, ceil(left * each / SLICE_SECONDS)), MAX_PARTS, left)
        for part in range(parts):
            begin, end = done + left * part // parts, done + left * (part + 1) // parts
            yield self.part(begin, end)

    def part(self, begin: int, end: int) -> Slice:
        """Make a slice of those of its items from `begin` to before `end`."""
        blocks, at = [], 0
        for data, start, stop in self.blocks:
            low, high = max(begin - at, 0), min(end - at, stop - start)
            if low < high:
                blocks.append(Block(data, start + low, start + high))
            at += stop - start
        return type(self)(self.first + begin, blocks)

    def _work(
        self, block: Block, until: float, results: list[Any], failures: dict[int, Failure]
    ) -> bool:
        """Call the function with the items of a block; False if it is time to stop."""
        data, start, stop = block
        function, append, clock = self.function, results.append, perf_counter
        try:
            items = pickle.loads(data)[start:stop]
        except Exception as error:  # noqa: BLE001 (the import of what they refer to may raise)
            failure = self._failure(error)
            failures.update(
                dict.fromkeys(range(len(results), len(results) + stop - start), failure)
            )
            results.extend([None] * (stop - start))
            return clock() < until
        for item in items:
            try:
                append(function(item))  # type: ignore[call-arg]  # a static method of the class
            except BaseException as error:  # noqa: BLE001 (the user's code may raise anything)
                failures[len(results)] = self._failure(error)
                append(None)
            if clock() >= until:
                return False
        return True

    def _dump(self, results: list[Any], failures: dict[int, Failure]) -> bytes:
        """Pickle the results; one that cannot be is a failure of its item alone."""
        try:
            return dump_result(results)
        except NotSerializable:
            for at, result in enumerate(results):
                try:
                    dump_result(result)
                except NotSerializable as error:
                    failures[at] = self._certified(error.failure)
                    results[at] = None
            return dump_result(results)

    def _failure(self, error: BaseException) -> Failure:
        from concurrent_framework.tasks.failures import describe_failure  # seldom needed

        return self._certified(describe_failure(error))

    def _certified(self, failure: Failure) -> Failure:
        return replace(failure, certificate=Certificate(str(self.slave_id), suspect="task"))


def slice_class(function: Any, options: dict[str, Any]) -> type[Slice]:
    """Make the class of the slices of one array.

    Args:
        function: what to call with each item: a function, a class, or what `@task` has made.
        options: ``name`` and the settings of a task.

    Raises:
        UsageError: if the function cannot be used, or an option cannot be.

    """
    if isinstance(function, type) and issubclass(function, FunctionTask):
        given = {name: getattr(function, name) for name in ("name", *SETTINGS)}
        return slice_class(function.function, given | options)
    if not callable(function) or (isinstance(function, type) and issubclass(function, Task)):
        message = f"push_map takes a function, not {function!r}; push_tasks takes tasks"
        raise UsageError(message)
    for name in _OF_TASKS:
        if options.get(name):
            message = f"push_map has no {name}, which is for tasks: let the function see to it"
            raise UsageError(message)
    made: Any = class_around(function, options, Slice, "push_map")
    return made  # type: ignore[no-any-return]
