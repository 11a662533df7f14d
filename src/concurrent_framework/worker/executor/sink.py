"""What the executor offers to the task that runs in it: the other side of `current_task()`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from concurrent_framework.protocol.executor import CancelRunning
from concurrent_framework.protocol.tasks import NewTask, ProgressNote, TaskCheckpoint

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.protocol.executor import Chunk, Load
    from concurrent_framework.tasks.payload import Buffer
    from concurrent_framework.tasks.spawning import SpawnBook
    from concurrent_framework.tasks.task import Task
    from concurrent_framework.worker.executor.link import Link
    from concurrent_framework.worker.executor.outbox import Outbox
    from concurrent_framework.worker.executor.running import Running


class Sink:
    """Serves one task after another; see `TaskSink`.

    `noticed` says that the running task has been told of its cancellation, `used` that `end` has
    something to do after it.

    Args:
        running: says which task runs.
        link: where a cancellation would arrive.
        outbox: where lines and notes go.
        spawn: makes rows of tasks.
        directory: where scratch directories are made.

    """

    def __init__(
        self, running: Running, link: Link, outbox: Outbox, spawn: SpawnBook, directory: Path
    ) -> None:
        self.spawned: list[NewTask] = []
        self.noticed = False
        self.used = False
        self._link = link
        self._outbox = outbox
        self._spawn = spawn
        self._directory = directory
        self._scratch: Path | None = None
        self._home = os.getcwd()
        self._running = running

    def end(self) -> None:
        """Drop what belongs to the task that has ended."""
        self.used = self.noticed = False
        self.spawned = []
        self._outbox.end_checkpoints()
        if self._scratch is not None:
            import shutil

            os.chdir(self._home)  # the task may have gone into the directory that goes away
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def push(self, task: Task) -> None:
        """Take a task that the running task makes."""
        self.used = True
        self.spawned.append(self._spawn.row(task, self._running.pickler))

    def progress(self, done: float, total: float, message: str) -> None:
        """Take how far the running task has come."""
        self._outbox.progress(ProgressNote(self._running.key, done, total, message))

    def log(self, level: str, text: str) -> None:
        """Take a line for the application's log."""
        self._outbox.log(level, text)

    def cancelled(self) -> bool:
        """Whether somebody has cancelled the running task."""
        if not self.noticed:
            self.used = True
            self._link.look()
            self.noticed = self._link.arrived(self._is_mine)
        return self.noticed

    def scratch(self) -> Path:
        """Return the running task's own directory."""
        if self._scratch is None:
            self.used = True
            import tempfile
            from pathlib import Path

            self._directory.mkdir(parents=True, exist_ok=True)
            self._scratch = Path(
                tempfile.mkdtemp(prefix=f"task-{self._running.key}-", dir=self._directory)
            )
        return self._scratch

    def checkpoint(self, state: bytes) -> None:
        """Take the state that another attempt would go on from."""
        self.used = True
        running = self._running
        self._outbox.checkpoint(TaskCheckpoint(running.key, running.attempt, state))

    def restored(self) -> Buffer:
        """Return the checkpoint that the running attempt goes on from."""
        return self._running.restored  # type: ignore[return-value]  # frames are back in place

    def _is_mine(self, message: Load | Chunk | CancelRunning) -> bool:
        return (
            isinstance(message, CancelRunning)
            and message.key == self._running.key
            and message.attempt == self._running.attempt
        )
