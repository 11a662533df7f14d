"""What the executor has to tell, collected until it is worth a message.

A signal may make the executor flush in the midst of anything, a running task included. Python runs
the handler between two steps of the main thread, so a flag is all that is needed to keep it out
where it would do harm.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from time import perf_counter
from typing import TYPE_CHECKING

from concurrent_framework.protocol.executor import Done
from concurrent_framework.worker.executor.output import Output

if TYPE_CHECKING:
    from concurrent_framework.protocol.tasks import (
        Outcome,
        OutputLine,
        ProgressNote,
        TaskCheckpoint,
    )
    from concurrent_framework.worker.executor.link import Link
    from concurrent_framework.worker.executor.running import Running

NUDGE = signal.SIGURG
"""The worker sends it to an executor that keeps something to itself for long; ignored by default."""
FLUSH_SECONDS = 0.050
"""How long outcomes may wait for more while there is something to run; to tell costs the worker a turn."""
FLUSH_BYTES = 256 * 1024
LIVE_SECONDS = 0.2
"""What a running task prints is shown after this time at the latest, if it goes on printing."""
PROGRESS_SECONDS = 0.1
CHECKPOINT_SECONDS = 0.1
"""A task's checkpoints are at least so far apart, and `CHECKPOINT_PACE` times what one took."""
CHECKPOINT_PACE = 20


class Outbox:
    """Outcomes, output and progress on their way to the worker.

    Args:
        running: says which task runs.
        link: where they go.
        worker: name of the worker.
        readers: descriptors to read what tasks print.

    """

    def __init__(self, running: Running, link: Link, worker: str, readers: tuple[int, int]) -> None:
        self._running = running
        self.output = Output(worker, readers, self._written)
        self._link = link
        self._outcomes: list[Outcome] = []
        self._lines: list[OutputLine] = []
        self._notes: dict[int, ProgressNote] = {}
        self._checkpoint: TaskCheckpoint | None = None
        self._next_checkpoint = 0.0
        self._bytes = 0
        self._chunks = 0
        self._last = perf_counter()
        self._closed = False
        self._foreign = False
        self._reminded = False
        self._main = threading.get_ident()
        os.register_at_fork(after_in_child=self._forked)
        # Nothing of SA_RESTART: a task that waits in a system call must be interrupted too, or the
        # outcomes before it wait as long as it does. Python repeats interrupted calls by itself.
        signal.signal(NUDGE, self._nudged)

    @property
    def foreign(self) -> bool:
        """Whether this process is no executor, but a child that a task has forked."""
        return self._foreign

    def add(self, outcome: Outcome, now: float) -> bool:
        """Take the outcome of the task that has ended; return whether it is time to flush.

        `now` is of `perf_counter`.
        """
        if self.output.dirty or self.output.replaced():
            self._collect(whole=True)
        self._outcomes.append(outcome)
        self._bytes += len(outcome.result) + len(outcome.changes)  # type: ignore[arg-type]
        return now - self._last > FLUSH_SECONDS or self._bytes > FLUSH_BYTES

    def end_chunk(self) -> None:
        """Tell all: there is nothing left to run."""
        self._chunks += 1
        self.flush(whole=True)

    def log(self, level: str, text: str) -> None:
        """Take a line that the running task logs."""
        if self.output.dirty and threading.get_ident() == self._main:
            self._collect(whole=False)
        self._lines += self.output.row(self._running.key, str(self._running.source), level, text)
        self._live(LIVE_SECONDS, promise=True)

    def progress(self, note: ProgressNote) -> None:
        """Take how far the running task is; only the latest note of a task is sent."""
        self._notes[note.key] = note
        self._live(PROGRESS_SECONDS, promise=True)

    def checkpoint(self, state: TaskCheckpoint) -> None:
        """Take a state of the running task; only the latest is sent.

        One that has to wait for its turn leaves with the next flush: the worker nudges an executor
        whose task makes checkpoints.
        """
        self._checkpoint = state
        before = perf_counter()
        if before >= self._next_checkpoint:
            self._now()
            took = perf_counter() - before
            self._next_checkpoint = before + max(CHECKPOINT_SECONDS, CHECKPOINT_PACE * took)

    def end_checkpoints(self) -> None:
        """Drop what belongs to the task that has ended."""
        self._checkpoint = None
        self._next_checkpoint = 0.0

    def flush(self, *, whole: bool) -> None:
        """Send everything; `whole` if no task is running."""
        if self._closed:
            return
        self._collect(whole=whole)
        self._closed = True
        try:
            lines = tuple(self._lines)
            state, self._checkpoint = self._checkpoint, None
            if self._outcomes or lines or self._notes or self._chunks or state:
                notes, self._notes = self._notes, {}
                states = () if state is None else (state,)
                self._link.send(
                    Done(self._outcomes, lines, tuple(notes.values()), self._chunks, states)
                )
                self._outcomes = []
                del self._lines[: len(lines)]  # other threads may have logged meanwhile
                self._bytes = self._chunks = 0
            self._last = perf_counter()
        finally:
            self._closed = self._foreign

    def _collect(self, *, whole: bool) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self.output.flush()
            self._lines += self.output.take(
                self._running.key, str(self._running.source), whole=whole
            )
            if whole:
                self.output.sent = 0
        finally:
            self._closed = self._foreign

    def _written(self) -> None:
        self._live(LIVE_SECONDS)

    def _live(self, seconds: float, *, promise: bool = False) -> None:
        """Flush now and then while a task runs; in the main thread, wherever this is called.

        With `promise`, what has to wait now leaves later, also if the task says nothing more.
        """
        if self._closed:
            return
        wait = self._last + seconds - perf_counter()
        if wait <= 0:
            self._now()
        elif promise:
            self._remind(wait)

    def _now(self) -> None:
        if threading.get_ident() == self._main:
            self.flush(whole=False)
        else:
            signal.pthread_kill(self._main, NUDGE)

    def _remind(self, seconds: float) -> None:
        """Have this process nudge itself, unless it is about to."""
        if not self._reminded:
            self._reminded = True
            reminder = threading.Timer(seconds, signal.pthread_kill, (self._main, NUDGE))
            reminder.daemon = True
            reminder.start()

    def _forked(self) -> None:
        """Be silent in a child that a task forks: the worker listens to one process only."""
        self._closed = self._foreign = True

    def _nudged(self, _number: int, _frame: object) -> None:
        self._reminded = False
        # The running task may be near the limit; then it is told later.
        with contextlib.suppress(RecursionError):
            self.flush(whole=False)
