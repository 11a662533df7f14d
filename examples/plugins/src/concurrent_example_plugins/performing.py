"""One task in one thread: from its row to its outcome."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from concurrent_framework.code.received import ReceivedCode
from concurrent_framework.model.ids import sequence_of
from concurrent_framework.model.outcome import Certificate
from concurrent_framework.protocol.tasks import NewTask, OutputLine, ProgressNote, TaskCheckpoint
from concurrent_framework.tasks.current import CurrentTask, running
from concurrent_framework.tasks.failures import describe_failure
from concurrent_framework.tasks.payload import dump_changes, dump_result, load_task
from concurrent_framework.tasks.pickling import dump_changes_by, dump_result_by, pickler_of
from concurrent_framework.tasks.spawning import SpawnBook
from concurrent_framework.tasks.state import attributes
from concurrent_framework.tasks.task import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry
    from concurrent_framework.tasks.pickling import IPickler
    from concurrent_framework.tasks.task import Task


@dataclass
class Job:
    """A task on its way through a thread.

    Args:
        row: the task.
        outcome: what came of it, once it has been performed.
        timeout: seconds it may take, 0 for no limit.
        until: when that is over.
        given_up: whether nobody wants its outcome any more.

    """

    row: Assigned
    outcome: Outcome
    timeout: float
    until: float
    given_up: bool = False


class Performer:
    """Performs jobs, in any number of threads at a time.

    Args:
        worker: the worker's name.
        directory: where tasks get directories of their own.

    """

    def __init__(self, worker: str, directory: Path) -> None:
        self._worker = worker
        self._directory = directory
        self._code = ReceivedCode()
        self.spawn = SpawnBook(self._code)
        self.lock = threading.Lock()
        """Held by whoever uses the code or the spawn book, which know nothing of threads."""
        self._specs: dict[int, SpecEntry] = {}
        self.lines: SimpleQueue[OutputLine] = SimpleQueue()
        self.notes: SimpleQueue[ProgressNote] = SimpleQueue()
        self.checkpoints: SimpleQueue[TaskCheckpoint] = SimpleQueue()

    def learn(self, specs: Sequence[SpecEntry], paths: Mapping[str, Path]) -> None:
        """Learn specs and where code lies."""
        with self.lock:
            self._code.learn([entry.spec.code for entry in specs], paths)
            self.spawn.learn(specs)
            self._specs.update((entry.number, entry) for entry in specs)

    def told(self) -> tuple[list[OutputLine], list[ProgressNote], list[TaskCheckpoint]]:
        """Return what tasks have logged, how far they are, and what they keep, since the last call."""
        return _all_of(self.lines), _all_of(self.notes), _all_of(self.checkpoints)

    def perform(self, job: Job) -> None:
        """Run a task and fill in its outcome; lets through nothing that it raises."""
        start = time.perf_counter()
        if not job.given_up:
            sink = Sink(self, job, self._worker, self._directory)
            try:
                with self.lock:
                    cls = self._code.load(self._specs[job.row.spec].spec.code)
                with running(CurrentTask(sink)):
                    self._call(cls, job, sink)
            except BaseException as error:  # noqa: BLE001 (a task may raise anything)
                job.outcome.result = b""
                certificate = Certificate(worker=self._worker, suspect="task")
                job.outcome.failure = replace(describe_failure(error), certificate=certificate)
            finally:
                sink.end()
        job.outcome.seconds = time.perf_counter() - start

    def _call(self, cls: Any, job: Job, sink: Sink) -> None:
        payload: Any = job.row.payload
        task: Any = load_task(cls, payload)
        # What comes back is made by what has made the state: plain pickle, usually.
        sink.pickler = pickler_of(payload)
        stamp(task, sequence_of(job.row.key), self._worker)
        sink.source = str(task.name)
        before = dict(attributes(task))
        try:
            result = task()
        except BaseException:
            with contextlib.suppress(Exception):  # what the task raised matters more
                task.clean_up()
                job.outcome.changes = dump_changes(before, attributes(task))
            raise
        task.clean_up()
        if sink.pickler is None:
            job.outcome.changes = dump_changes(before, attributes(task))
            job.outcome.result = dump_result(result)
        else:
            job.outcome.changes = dump_changes_by(sink.pickler, before, attributes(task))
            job.outcome.result = dump_result_by(sink.pickler, result)
        if sink.spawned:
            job.outcome.spawned = tuple(sink.spawned)
            with self.lock:
                job.outcome.specs, job.outcome.codes = self.spawn.definitions(sink.spawned)


class Sink:
    """What `current_task()` leads to, for one task."""

    def __init__(self, performer: Performer, job: Job, worker: str, directory: Path) -> None:
        self.spawned: list[NewTask] = []
        self.source = ""
        self.pickler: IPickler | None = None
        self._performer = performer
        self._job = job
        self._worker = worker
        self._directory = directory
        self._scratch: Path | None = None

    def push(self, task: Task) -> None:
        """Take a task that the running task makes."""
        with self._performer.lock:
            self.spawned.append(self._performer.spawn.row(task, self.pickler))

    def progress(self, done: float, total: float, message: str) -> None:
        """Take how far it has come."""
        self._performer.notes.put(ProgressNote(self._job.row.key, done, total, message))

    def log(self, level: str, text: str) -> None:
        """Take a line for the application's log."""
        self._performer.lines.put(
            OutputLine(self._job.row.key, self.source, self._worker, level, text)
        )

    def cancelled(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._job.given_up

    def scratch(self) -> Path:
        """Return a directory of its own."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="task-", dir=self._directory))
        return self._scratch

    def checkpoint(self, state: bytes) -> None:
        """Take the state that another attempt would go on from."""
        row = self._job.row
        self._performer.checkpoints.put(TaskCheckpoint(row.key, row.attempt, state))

    def restored(self) -> Any:
        """Return the checkpoint that this attempt goes on from, empty if there is none."""
        return self._job.row.restored

    def end(self) -> None:
        """Remove that directory."""
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


def _all_of(queue: SimpleQueue[Any]) -> list[Any]:
    return [queue.get() for _ in range(queue.qsize())]
