"""`SpawnBook`: rows and specs of the tasks that tasks make, in an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.model.ids import SPEC_MASK
from concurrent_framework.model.spec import digests_in
from concurrent_framework.protocol.tasks import NewTask, SpecEntry
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.tasks.pickling import dump_state_by
from concurrent_framework.tasks.specs import SpecBook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.tasks.pickling import IPickler
    from concurrent_framework.tasks.specs import CodeSource
    from concurrent_framework.tasks.task import Task


class SpawnBook:
    """Turns tasks made by tasks into rows for `Outcome.spawned`.

    A task whose spec the application has defined refers to that. For others the outcome carries
    spec and code along, under numbers below 0.

    Args:
        source: knows the classes that came here; a `ReceivedCode`.

    """

    def __init__(self, source: CodeSource) -> None:
        self._book = SpecBook(source, step=-1)

    def learn(self, specs: Iterable[SpecEntry]) -> None:
        """Take in specs of the application, as the worker numbers them."""
        self._book.learn(SpecEntry(entry.number & SPEC_MASK, entry.spec) for entry in specs)

    def row(self, task: Task, pickler: IPickler | None = None) -> NewTask:
        """Turn a task into a row; raises `UsageError` or `NotSerializable` if it cannot travel."""
        if pickler is not None:  # what it makes cannot hold references, see `Pushing.share`
            state = dump_state_by(pickler, task)
            return NewTask(self._book.number_for(task), str(task.name), state)
        state = dump_state(task)
        return NewTask(self._book.number_for(task, digests_in(state)), str(task.name), state)

    def definitions(
        self, rows: Iterable[NewTask]
    ) -> tuple[tuple[SpecEntry, ...], tuple[CodeBlob, ...]]:
        """Return for `Outcome.specs` and `Outcome.codes` what rows need beyond what is known."""
        numbers = {row.spec for row in rows if row.spec < 0}
        return self._book.definitions_of(numbers) if numbers else ((), ())
