"""The executor: a child process of a worker that runs one task at a time."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import socket
import sys
from pathlib import Path

from concurrent_framework.code.received import ReceivedCode
from concurrent_framework.protocol.executor import Chunk, Load, Ready
from concurrent_framework.sandbox.limits import confine, keep_freed_memory
from concurrent_framework.tasks.current import CurrentTask
from concurrent_framework.tasks.current import running as serving
from concurrent_framework.tasks.shared import SharedObjects, resolving
from concurrent_framework.tasks.spawning import SpawnBook
from concurrent_framework.worker.executor.link import Claims, Link
from concurrent_framework.worker.executor.outbox import Outbox
from concurrent_framework.worker.executor.runner import Runner
from concurrent_framework.worker.executor.running import Running
from concurrent_framework.worker.executor.sink import Sink


def main(
    link: int,
    tokens: int,
    stdout: int,
    stderr: int,
    stdout_reader: int,
    stderr_reader: int,
    *,
    worker: str,
    directory: str,
) -> None:
    """Be an executor until the worker is gone. A template process calls this in a fresh child.

    Args:
        link: stream socket to the worker.
        tokens: reading end of the token pipe, non-blocking.
        stdout: file that standard output goes to, open for appending.
        stderr: the same for standard error.
        stdout_reader: the first file open for reading, with an offset shared with the worker.
        stderr_reader: the same for the second.
        worker: name of the worker.
        directory: where tasks may have directories of their own.

    """
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    faulthandler.enable(file=2, all_threads=False)
    confine()
    keep_freed_memory()
    _forget_inherited_randomness()
    executor = _Executor(
        Link(socket.socket(fileno=link)),
        Claims(tokens),
        (stdout_reader, stderr_reader),
        worker,
        Path(directory),
    )
    with contextlib.suppress(EOFError, ConnectionError):
        executor.work()


class _Executor:
    def __init__(
        self, link: Link, claims: Claims, readers: tuple[int, int], worker: str, directory: Path
    ) -> None:
        self._link = link
        self._claims = claims
        self._code = ReceivedCode()
        self._spawn = SpawnBook(self._code)
        self._objects = SharedObjects()
        running = Running()
        self._outbox = Outbox(running, link, worker, readers)
        sink = Sink(running, link, self._outbox, self._spawn, directory)
        self._current = CurrentTask(sink)
        self._runner = Runner(
            worker, self._code, self._spawn, running, sink, self._outbox, self._objects
        )

    def work(self) -> None:
        self._link.send(Ready(os.getpid()))
        with serving(self._current), resolving(self._objects):
            while True:
                message = self._link.wait()
                if isinstance(message, Chunk):
                    self._run(message)
                elif isinstance(message, Load):
                    self._learn(message)

    def _learn(self, message: Load) -> None:
        os.environ.update(message.environment)
        self._code.learn([entry.spec.code for entry in message.specs], message.paths)
        self._objects.learn(message.paths)
        self._spawn.learn(message.specs)
        self._runner.learn(message.specs)

    def _run(self, chunk: Chunk) -> None:
        run, flush = self._runner.run, self._outbox.flush
        last = chunk.tasks[-1]
        for row in self._claims.claimed(chunk.tasks, chunk.generation):
            if run(row) and row is not last:
                flush(whole=True)
            if self._outbox.foreign:
                os._exit(0)  # a task has forked, and its child has come back from the task
        self._outbox.end_chunk()


def _forget_inherited_randomness() -> None:
    """Seed NumPy's global generator anew if it came with the fork, as Python does for its own."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
