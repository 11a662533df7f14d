"""One task, from its payload to its outcome, whatever it does on the way."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from concurrent_framework.model.ids import SEQUENCE_MASK
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.sandbox.limits import peak_memory
from concurrent_framework.tasks.payload import dump_changes, dump_result, load_task
from concurrent_framework.tasks.state import attributes, form_of
from concurrent_framework.tasks.task import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.code.received import ReceivedCode
    from concurrent_framework.model.spec import TaskSpec
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry
    from concurrent_framework.tasks.spawning import SpawnBook
    from concurrent_framework.worker.executor.outbox import Outbox
    from concurrent_framework.worker.executor.sink import Sink


class Known(NamedTuple):
    """A spec whose class is loaded: the class, and whether its objects are plain and idempotent."""

    cls: type
    plain: bool
    idempotent: bool


class Runner:
    """Runs tasks one after the other.

    Args:
        worker: name of the worker.
        code: where classes come from.
        spawn: learns specs, for tasks that tasks make.
        sink: what `current_task()` leads to.
        outbox: where outcomes go.

    """

    def __init__(
        self, worker: str, code: ReceivedCode, spawn: SpawnBook, sink: Sink, outbox: Outbox
    ) -> None:
        self._worker = worker
        self._code = code
        self._spawn = spawn
        self._sink = sink
        self._outbox = outbox
        self._specs: dict[int, TaskSpec] = {}
        self._known: dict[int, Known] = {}

    def learn(self, specs: Iterable[SpecEntry]) -> None:
        """Take in specs by their numbers."""
        for entry in specs:
            self._specs[entry.number] = entry.spec
            self._known.pop(entry.number, None)

    def run(self, row: Assigned) -> None:
        """Run a task and put its outcome in the outbox. Lets through nothing that it raises."""
        key, attempt = row.key, row.attempt
        outcome = Outcome(key, attempt)
        self._sink.begin(key, attempt)
        self._outbox.begin(key, "")
        start = perf_counter()
        try:
            known = self._known.get(row.spec) or self._load(row.spec)
            self._execute(known, row, outcome)
        except BaseException as error:  # noqa: BLE001 (a task may raise anything)
            self._fail(outcome, error)
        if self._sink.noticed:
            self._cancel(outcome)
        self._sink.end()
        now = perf_counter()
        outcome.seconds = now - start
        idempotent = self._specs[row.spec].idempotent if row.spec in self._specs else True
        self._outbox.add(outcome, now, urgent=not idempotent)

    def _execute(self, known: Known, row: Assigned, outcome: Outcome) -> None:
        task: Any = load_task(known.cls, row.payload)  # type: ignore[arg-type]
        stamp(task, row.key & SEQUENCE_MASK, self._worker)
        self._outbox.source = task.name
        before = task.__dict__.copy() if known.plain else dict(attributes(task))
        try:
            result = task()
        except BaseException:
            self._clean_up_after_failure(task, outcome, before)
            raise
        task.clean_up()
        outcome.changes = dump_changes(before, task.__dict__ if known.plain else attributes(task))
        outcome.result = dump_result(result)
        spawned = self._sink.spawned
        if spawned:
            outcome.spawned = tuple(spawned)
            outcome.specs, outcome.codes = self._spawn.definitions(spawned)

    def _clean_up_after_failure(self, task: Any, outcome: Outcome, before: dict[str, Any]) -> None:
        """Bring back what changed if possible; what the task raised matters more."""
        try:
            task.clean_up()
            outcome.changes = dump_changes(before, attributes(task))
        except BaseException:  # noqa: BLE001, S110 (see above)
            pass

    def _load(self, number: int) -> Known:
        spec = self._specs[number]
        cls = self._code.load(spec.code)
        known = Known(cls, form_of(cls) == "dict", spec.idempotent)
        self._known[number] = known
        return known

    def _fail(self, outcome: Outcome, error: BaseException) -> None:
        from concurrent_framework.tasks.failures import describe_failure

        outcome.result = b""
        outcome.spawned, outcome.specs, outcome.codes = (), (), ()
        outcome.failure = self._with_certificate(describe_failure(error))

    def _cancel(self, outcome: Outcome) -> None:
        outcome.result = b""
        outcome.spawned, outcome.specs, outcome.codes = (), (), ()
        failure = Failure("cancelled", "TaskCancelled", "it was cancelled while it ran")
        outcome.failure = self._with_certificate(failure)

    def _with_certificate(self, failure: Failure) -> Failure:
        certificate = Certificate(
            worker=self._worker,
            stderr=self._outbox.output.tail(),
            peak_memory=peak_memory(),
            suspect="task",
        )
        return replace(failure, certificate=certificate)
