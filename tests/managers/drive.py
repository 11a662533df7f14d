"""Drives a `ProcessManager` as a worker does, without a master."""

from __future__ import annotations

import select
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.launch.template import Template
from concurrent_framework.managers.base import ManagerContext
from concurrent_framework.managers.processes import ProcessManager
from concurrent_framework.model.ids import SPEC_BITS, task_key
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry
from concurrent_framework.tasks.payload import dump_state, load_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.protocol.tasks import OutputLine, ProgressNote, TaskCheckpoint
    from concurrent_framework.tasks.task import Task

PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""


class Driver:
    """A manager with its template, and everything that it has reported.

    Args:
        directory: for the manager.
        settings: ``section.key=value`` options.
        kind: the manager's class.

    """

    def __init__(self, directory: Path, *settings: str, kind: Any = ProcessManager) -> None:
        self.directory = directory
        self.outcomes: dict[int, Outcome] = {}
        self.reported: Counter[int] = Counter()
        self.output: list[OutputLine] = []
        self.notes: list[ProgressNote] = []
        self.checkpoints: list[TaskCheckpoint] = []
        self.template = Template(fork=True)
        config = Config.load(None, {}, ["worker.executors=2", *settings])
        self.manager: Any = ComponentManager(config, [kind])[kind]
        self.capacity = self.manager.start(ManagerContext("w1", directory, self.template))
        self._specs: dict[tuple[int, TaskSpec], int] = {}
        self._sequence = 0

    def close(self) -> None:
        self.manager.stop()
        self.template.close()

    def push(self, *tasks: Task, application: int = 1, **settings: Any) -> list[int]:
        """Submit tasks; return their keys. The settings go into their spec."""
        rows = self.rows(tasks, application, settings)
        self.manager.submit(rows, time.monotonic())
        return [row.key for row in rows]

    def rows(
        self, tasks: Iterable[Task], application: int, settings: dict[str, Any]
    ) -> list[Assigned]:
        rows = []
        for task in tasks:
            self._sequence += 1
            key = task_key(application, self._sequence)
            number = self._number(type(task), application, settings)
            rows.append(Assigned(key, 1, number, dump_state(task)))
        return rows

    def _number(self, cls: type, application: int, settings: dict[str, Any]) -> int:
        spec = TaskSpec(CodeReference(cls.__module__, cls.__qualname__), **settings)
        number = self._specs.get((application, spec))
        if number is None:
            number = application << SPEC_BITS | len(self._specs)
            self._specs[application, spec] = number
            self.manager.load([SpecEntry(number, spec)], {})
        return number

    def recall(self, limit: int) -> list[int]:
        return [key for key, _ in self.manager.recall(limit, time.monotonic())]

    def cancel(self, *keys: int) -> None:
        self.manager.cancel([(key, 1) for key in keys], time.monotonic())

    def turn(self, until: float) -> None:
        """Wait until there is something to do, and do it."""
        now = time.monotonic()
        due = self.manager.deadline(now)
        limit = until if due is None else min(due, until)
        select.select(self.manager.pollables(), [], [], max(0.0, limit - now))
        report = self.manager.collect(time.monotonic())
        for outcome in report.outcomes:
            self.outcomes[outcome.key] = outcome
            self.reported[outcome.key] += 1
        self.output += report.output
        self.notes += report.notes
        self.checkpoints += report.checkpoints

    def until(self, done: Callable[[], bool]) -> None:
        """Go on until something is so; fail if it does not become so."""
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, f"only {len(self.outcomes)} outcomes"
            self.turn(end)

    def wait(self, keys: Sequence[int]) -> list[Outcome]:
        """Go on until these have been reported, each exactly once."""
        self.until(lambda: all(key in self.outcomes for key in keys))
        assert all(self.reported[key] == 1 for key in keys)
        return [self.outcomes[key] for key in keys]

    def run(self, *tasks: Task, **settings: Any) -> list[Any]:
        """Push tasks and return their results; fail if one failed."""
        outcomes = self.wait(self.push(*tasks, **settings))
        assert [one.failure for one in outcomes if one.failure] == []
        return [load_result(one.result) for one in outcomes]  # type: ignore[arg-type]

    def fail(self, task: Task, **settings: Any) -> Failure:
        """Push a task and return its failure."""
        (outcome,) = self.wait(self.push(task, **settings))
        assert outcome.failure is not None, load_result(outcome.result)  # type: ignore[arg-type]
        return outcome.failure

    def text(self, stream: str = "stdout") -> str:
        return "\n".join(line.text for line in self.output if line.stream == stream)

    @property
    def pids(self) -> list[int]:
        """The executors' process ids."""
        return [link.pid for link in self.manager._links.values() if link.pid]
