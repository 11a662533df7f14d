"""One task, from its payload to its outcome, whatever it does on the way."""

from __future__ import annotations

from operator import is_
from pickle import loads
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from concurrent_framework.code.loader import CodeError
from concurrent_framework.model.ids import SEQUENCE_MASK
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.sandbox.limits import peak_memory
from concurrent_framework.tasks.payload import NOTHING, dump_changes, dump_result, load_task
from concurrent_framework.tasks.pickling import dump_changes_by, dump_result_by, pickler_of
from concurrent_framework.tasks.state import attributes, form_of
from concurrent_framework.tasks.task import Task, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from concurrent_framework.code.received import ReceivedCode
    from concurrent_framework.model.spec import TaskSpec
    from concurrent_framework.protocol.tasks import Assigned, SpecEntry
    from concurrent_framework.tasks.pickling import IPickler
    from concurrent_framework.tasks.shared import SharedObjects
    from concurrent_framework.tasks.spawning import SpawnBook
    from concurrent_framework.worker.executor.outbox import Outbox
    from concurrent_framework.worker.executor.running import Running
    from concurrent_framework.worker.executor.sink import Sink


class Known(NamedTuple):
    """A spec whose class is loaded: the class, whether its objects are plain, and the like.

    The tasks of a spec have one application, and that has one pickler.
    """

    cls: type
    make: Callable[[type], Any]
    plain: bool
    cleans_up: bool
    idempotent: bool
    pickler: IPickler | None


class Runner:
    """Runs tasks one after the other.

    Args:
        worker: name of the worker.
        code: where classes come from.
        spawn: learns specs, for tasks that tasks make.
        running: where to note which task runs.
        sink: what `current_task()` leads to.
        outbox: where outcomes go.
        objects: the shared objects.

    """

    def __init__(
        self,
        worker: str,
        code: ReceivedCode,
        spawn: SpawnBook,
        running: Running,
        sink: Sink,
        outbox: Outbox,
        objects: SharedObjects,
    ) -> None:
        self._worker = worker
        self._code = code
        self._spawn = spawn
        self._running = running
        self._sink = sink
        self._outbox = outbox
        self._objects = objects
        self._specs: dict[int, TaskSpec] = {}
        self._known: dict[int, Known] = {}

    def learn(self, specs: Iterable[SpecEntry]) -> None:
        """Take in specs by their numbers."""
        for entry in specs:
            self._specs[entry.number] = entry.spec
            self._known.pop(entry.number, None)

    def run(self, row: Assigned) -> bool:
        """Run a task and put its outcome in the outbox. Lets through nothing that it raises.

        Returns whether the outbox ought to be flushed before another task is started.
        """
        running, sink = self._running, self._sink
        running.key = row.key
        running.attempt = row.attempt
        running.source = ""
        running.restored = row.restored
        outcome = Outcome(row.key, row.attempt)
        idempotent = True
        start = perf_counter()
        try:
            known = self._known.get(row.spec)
            if known is None:
                known = self._load(row)
                start = perf_counter()
            idempotent = known.idempotent
            if known.plain:
                self._run_plain(known, row, outcome)
            else:
                self._run_any(known, row, outcome)
        except BaseException as error:  # noqa: BLE001 (a task may raise anything)
            self._fail(row.spec, outcome, error)
        if sink.used:
            self._take_from_sink(outcome)
        now = perf_counter()
        outcome.seconds = now - start
        if self._objects.preparing:
            # The next task finds them ready: what takes long once must not make tasks seem long.
            outcome.seconds = max(0.0, outcome.seconds - self._objects.prepared())
        # Nobody may run it again, so nothing else may start before its end is told.
        return self._outbox.add(outcome, now) or not idempotent

    def _run_plain(self, known: Known, row: Assigned, outcome: Outcome) -> None:
        """Do what `_run_any` does, at half the price, where the state is the object's dict."""
        task = known.make(known.cls)
        state = task.__dict__
        state.update(loads(row.payload))  # type: ignore[arg-type]
        state["task_id"] = row.key & SEQUENCE_MASK
        state["slave_id"] = self._worker
        before = state.copy()
        self._running.source = task.name
        try:
            result = task()
        except BaseException:
            self._clean_up_after_failure(task, outcome, before)
            raise
        if known.cleans_up:
            task.clean_up()
        after = task.__dict__
        if before.keys() != after.keys() or not all(map(is_, before.values(), after.values())):
            outcome.changes = dump_changes(before, after)
        outcome.result = NOTHING if result is None else dump_result(result)

    def _run_any(self, known: Known, row: Assigned, outcome: Outcome) -> None:
        task: Any = load_task(known.cls, row.payload)  # type: ignore[arg-type]
        stamp(task, row.key & SEQUENCE_MASK, self._worker)
        before = dict(attributes(task))
        self._running.source = task.name
        self._running.pickler = known.pickler
        try:
            result = task()
        except BaseException:
            self._clean_up_after_failure(task, outcome, before)
            raise
        finally:
            self._running.pickler = None
        task.clean_up()
        if known.pickler is None:
            outcome.changes = dump_changes(before, attributes(task))
            outcome.result = dump_result(result)
        else:
            outcome.changes = dump_changes_by(known.pickler, before, attributes(task))
            outcome.result = dump_result_by(known.pickler, result)

    def _clean_up_after_failure(self, task: Any, outcome: Outcome, before: dict[str, Any]) -> None:
        """Bring back what changed if possible; what the task raised matters more."""
        try:
            task.clean_up()
            outcome.changes = dump_changes(before, attributes(task))
        except BaseException:  # noqa: BLE001, S110 (see above)
            pass

    def _load(self, row: Assigned) -> Known:
        number = row.spec
        spec = self._specs.get(number)
        if spec is None:
            message = f"the worker has not told what kind of task number {number} is"
            raise CodeError(message)
        cls = self._code.load(spec.code)
        cleans_up = getattr(cls, "clean_up", None) is not Task.clean_up
        pickler = pickler_of(row.payload)  # type: ignore[arg-type]
        plain = form_of(cls) == "dict" and pickler is None
        known = Known(cls, cls.__new__, plain, cleans_up, spec.idempotent, pickler)
        self._known[number] = known
        return known

    def _fail(self, number: int, outcome: Outcome, error: BaseException) -> None:
        from concurrent_framework.tasks.failures import describe_failure
        from concurrent_framework.tasks.retrying import wants_retry

        outcome.result = b""
        failure = describe_failure(error)
        spec = self._specs.get(number)
        if spec is not None and spec.retry_on and wants_retry(error, spec.retry_on):
            failure = replace(failure, retriable=True)
        outcome.failure = self._with_certificate(failure)

    def _take_from_sink(self, outcome: Outcome) -> None:
        """Add what the task did beside returning something."""
        sink = self._sink
        if sink.noticed:
            outcome.result = b""
            failure = Failure("cancelled", "TaskCancelled", "it was cancelled while it ran")
            outcome.failure = self._with_certificate(failure)
        if sink.spawned and outcome.failure is None:
            outcome.spawned = tuple(sink.spawned)
            outcome.specs, outcome.codes = self._spawn.definitions(sink.spawned)
        sink.end()

    def _with_certificate(self, failure: Failure) -> Failure:
        certificate = Certificate(
            worker=self._worker,
            stderr=self._outbox.output.last_words(),
            peak_memory=peak_memory(),
            suspect="task",
        )
        return replace(failure, certificate=certificate)
