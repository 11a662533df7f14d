"""`MapReduce`: from inputs to keys with values, and from the values of a key to its result."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.application.system import SystemMaster, TaskSystem
from concurrent_framework.application.systems.work import (
    choice,
    fail,
    iterated,
    movable,
    task_maker,
)
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from concurrent_framework.model.errors import TaskError
    from concurrent_framework.tasks.task import Task

    Pairs = Iterable[tuple[Hashable, Any]] | Mapping[Any, Any]


class MapChunk:
    """Maps some inputs on a worker; combines the values of each key there if it can."""

    def __init__(
        self, function: Callable[[Any], Pairs], combine: Callable[[Any, list[Any]], Any] | None
    ) -> None:
        self.__name__ = "map"
        self._function = function
        self._combine = combine

    def __call__(self, inputs: list[Any]) -> dict[Any, list[Any]]:
        """Return the values of each key."""
        values: dict[Any, list[Any]] = {}
        for one in inputs:
            pairs = self._function(one)
            for key, value in pairs.items() if isinstance(pairs, dict) else pairs:
                values.setdefault(key, []).append(value)
        if self._combine is not None:
            values = {key: [self._combine(key, several)] for key, several in values.items()}
        return values


class ReduceChunk:
    """Reduces the values of some keys on a worker."""

    def __init__(self, function: Callable[[Any, list[Any]], Any]) -> None:
        self.__name__ = "reduce"
        self._function = function

    def __call__(self, keys: list[tuple[Any, list[Any]]]) -> list[tuple[Any, Any]]:
        """Return the result of each key."""
        return [(key, self._function(key, values)) for key, values in keys]


class MapReduce(TaskSystem):
    """Maps inputs to keys and values, then reduces the values of each key, all on workers.

    The result is a dict from each key to what `reduce` made of its values.

    Args:
        map: ``map(input)`` returns or yields pairs of a key (hashable) and a value, or a dict.
        reduce: ``reduce(key, values)`` returns the result of a key; the order of values is any.
        inputs: an iterable; or a function without arguments that returns one, which is called and
            drawn lazily on the master's side.
        combine: ``combine(key, values)`` returns one value that stands for several of a key. It is
            called where these were mapped, so that less has to travel.
        chunk: inputs per map task, >= 1.
        partitions: reduce tasks, >= 1; 0 for four times as many as run at a time.
        on_error: ``raise`` ends the system with the first task's error; ``skip`` leaves the inputs
            (or keys) of a failed task out and keeps its error in `errors`.
        name: how people see the system.

    Attributes:
        errors: with ``skip``, the errors of failed tasks.

    Raises:
        UsageError: for arguments that cannot be.

    Example:
        >>> from concurrent_framework import MapReduce
        >>> def words(line):
        ...     return ((word, 1) for word in line.split())
        >>> def count(word, ones):
        ...     return sum(ones)
        >>> system = MapReduce(words, count, ["to be", "or not to be"], combine=count)

    """

    def __init__(
        self,
        map: Callable[[Any], Pairs],  # noqa: A002 (what everybody calls it)
        reduce: Callable[[Any, list[Any]], Any],
        inputs: Iterable[Any] | Callable[[], Iterable[Any]],
        *,
        combine: Callable[[Any, list[Any]], Any] | None = None,
        chunk: int = 1,
        partitions: int = 0,
        on_error: Literal["raise", "skip"] = "raise",
        name: str = "",
    ) -> None:
        for what, function in (("map", map), ("reduce", reduce), ("combine", combine or reduce)):
            if not callable(function):
                message = f"MapReduce: {what} must be a function, not {function!r:.200}"
                raise UsageError(message)
        if chunk < 1 or partitions < 0:
            message = f"MapReduce: chunk={chunk} must be >= 1 and partitions={partitions} >= 0"
            raise UsageError(message)
        self.name = name or "MapReduce"
        self.map = map
        self.reduce = reduce
        self.combine = combine
        self.inputs = movable(inputs)
        self.chunk = chunk
        self.partitions = partitions
        self.on_error = choice("on_error", on_error, "raise", "skip")
        self.errors: list[TaskError] = []
        self._values: dict[Any, list[Any]] = {}
        self._results: dict[Any, Any] = {}
        self._reducing = False
        self._ended = 0
        size = len(self.inputs) if hasattr(self.inputs, "__len__") else 0
        self._total = -(-size // chunk)

    def generate_tasks(self, master: SystemMaster) -> Iterator[Task]:  # noqa: ARG002 (TaskSystem's)
        """Make the map tasks, as they are needed."""
        return self._map_tasks(iterated(self.inputs))

    def resume_tasks(self, master: SystemMaster, drawn: int) -> Iterator[Task]:  # noqa: ARG002 (TaskSystem's)
        """Make the map tasks that had not been made."""
        return self._map_tasks(islice(iterated(self.inputs), drawn * self.chunk, None))

    def task_finished(
        self, master: SystemMaster, task: Task, result: Any, error: TaskError | None
    ) -> None:
        """Gather the values of keys, or their results."""
        if error is not None:
            if self.on_error == "raise":
                fail(task, error)
            self.errors.append(error)
        elif self._reducing:
            self._results.update(result)
        else:
            for key, values in result.items():
                self._values.setdefault(key, []).extend(values)
        self._ended += 1
        phase = "reducing" if self._reducing else "mapping"
        master.progress(self._ended, self._total, phase)

    def is_complete(self, master: SystemMaster) -> bool:
        """Whether all keys are reduced; begins with that when all inputs are mapped."""
        if not super().is_complete(master):
            return False
        if self._values:
            self._reducing = True
            chunks = self._partitioned(self.partitions or 4 * max(master.executors, 1))
            self._total = self._ended + len(chunks)
            make = task_maker(ReduceChunk(self.reduce))
            # A list and no generator: these values are nowhere else, and belong into checkpoints.
            master.push_tasks([make(chunk) for chunk in chunks])
            return False
        return True

    def gather_result(self, master: SystemMaster) -> dict[Any, Any]:  # noqa: ARG002 (TaskSystem's)
        """Return the result of each key."""
        results, self._results = self._results, {}
        return results

    def _map_tasks(self, inputs: Iterator[Any]) -> Iterator[Task]:
        make = task_maker(MapChunk(self.map, self.combine))
        while chunk := list(islice(inputs, self.chunk)):
            yield make(chunk)

    def _partitioned(self, partitions: int) -> list[list[tuple[Any, list[Any]]]]:
        keys = list(self._values.items())
        self._values = {}
        size = -(-len(keys) // partitions)
        return [keys[start : start + size] for start in range(0, len(keys), size)]
