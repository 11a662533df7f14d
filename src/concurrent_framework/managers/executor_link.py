"""The worker's side of one executor process: its socket, its tokens, and what it prints."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
import termios
from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.protocol.codec import Codec, MalformedError
from concurrent_framework.protocol.executor import (
    CancelRunning,
    Chunk,
    Done,
    FromExecutor,
    Load,
    Ready,
)
from concurrent_framework.protocol.stream import Assembler, pack
from concurrent_framework.sandbox.tail import last_words

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.protocol.tasks import Assigned

_STREAMS = ("stdout", "stderr")
_MAX_BUFFERS = 512
_MAX_TOKENS = 1 << 16
_MAX_REST = 1 << 20
BUFFER = 1 << 20
"""Bytes on their way in each direction: a large result should not take many turns of the loop."""


class ExecutorLink:
    """One executor.

    Args:
        number: how the pool calls it.
        directory: where the files for its output are made; they have no name there for long.

    Attributes:
        pid: its process id, 0 until it is known.
        unwanted: it is to be killed as soon as that is known.
        specs: numbers of the specs it has been told.
        theirs: descriptors for the child, in the order of its entry's arguments.
        open: whether its socket may still be read.

    """

    def __init__(self, number: int, directory: Path) -> None:
        self.number = number
        self.pid = 0
        self.unwanted = False
        self.specs: set[int] = set()
        self.open = True
        self.socket, self._other = socket.socketpair()
        for end in (self.socket, self._other):
            # The system grants as much of this as it allows.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        os.set_blocking(self.socket.fileno(), False)
        self._tokens, self._token_writer = os.pipe()
        os.set_blocking(self._tokens, False)
        os.set_blocking(self._token_writer, False)
        outputs = [_unnamed_file(directory / f"{name}-{number}") for name in _STREAMS]
        self._readers = [reader for _, reader in outputs]
        self._writers = [writer for writer, _ in outputs]
        self.theirs = [self._other.fileno(), self._tokens, *self._writers, *self._readers]
        self._codec: Codec[Ready | Done] = Codec(FromExecutor)
        self._assembler = Assembler()
        self._backlog: deque[Any] = deque()
        self._generation = 0
        self._envelopes = 0
        self._checkpoints = False

    def started(self) -> None:
        """Let go of what belongs to the child, which has it now."""
        self._other.close()
        for fd in self._writers:
            os.close(fd)
        self._writers = []

    def close(self) -> None:
        """Close everything."""
        self.open = False
        self.socket.close()
        self._other.close()
        for fd in (self._tokens, self._token_writer, *self._writers, *self._readers):
            os.close(fd)
        self._tokens = self._token_writer = -1
        self._readers, self._writers = [], []

    def send_tasks(self, tasks: list[Assigned]) -> None:
        """Give it the right to start these, then the tasks."""
        os.write(self._token_writer, bytes([self._generation & 0xFF]) * len(tasks))
        self.send(Chunk(self._generation, tasks))

    def send(self, message: Load | Chunk | CancelRunning) -> None:
        """Write a message as far as the socket takes it; `flush` writes the rest."""
        self._envelopes += 1
        buffers = pack(self._codec.encode([message], self._envelopes))
        if not self._backlog and len(buffers) == 1:
            try:
                sent = self.socket.send(buffers[0])
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # it is dead; the template will tell
            if sent == len(buffers[0]):
                return
            self._backlog.append(memoryview(buffers[0])[sent:])
            return
        self._backlog.extend(memoryview(buffer).cast("B") for buffer in buffers if len(buffer))
        self.flush()

    @property
    def waiting(self) -> bool:
        """Whether something is left for `flush`."""
        return bool(self._backlog)

    def flush(self) -> bool:
        """Write what has been left over; whether there is still something."""
        backlog = self._backlog
        while backlog:
            parts = [backlog[index] for index in range(min(len(backlog), _MAX_BUFFERS))]
            try:
                sent = self.socket.sendmsg(parts)
            except BlockingIOError:
                return True
            except OSError:
                backlog.clear()
                return False
            while backlog and sent >= len(backlog[0]):
                sent -= len(backlog.popleft())
            if sent:
                backlog[0] = backlog[0][sent:]
        return False

    def receive(self) -> list[Ready | Done]:
        """Return the messages that have arrived.

        Raises:
            MalformedError: if they are none; nothing that follows can be read.

        """
        messages: list[Ready | Done] = []
        while self.open:
            space = self._assembler.space()
            try:
                count = self.socket.recv_into(space)
            except BlockingIOError:
                break
            except OSError:
                count = 0
            if not count:
                self.open = False
                break
            try:
                for frames in self._assembler.received(count):
                    messages += self._codec.decode(frames)[1]
            except (MalformedError, MemoryError) as error:
                self.open = False
                reason = f"an executor sent what cannot be read: {error}"
                raise MalformedError(reason) from error
            if count < len(space) and not self._assembler.amid_frame:
                break
        return messages

    def withdraw(self) -> int:
        """Take back the right to start what has not started; return how many tasks that are."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._tokens, _MAX_TOKENS):
                count += len(data)
        if count:
            self._generation += 1
        return count

    def unstarted(self) -> int:
        """Return how many tasks it has not started."""
        (count,) = struct.unpack("i", fcntl.ioctl(self._tokens, termios.FIONREAD, b"\0\0\0\0"))
        return int(count)

    def told(self, message: Done) -> None:
        """Note whether the running task makes checkpoints."""
        self._checkpoints = bool(message.checkpoints) or (
            self._checkpoints and not message.outcomes
        )

    def has_news(self) -> bool:
        """Whether it keeps something to itself: printed text, perhaps a checkpoint."""
        return self._checkpoints or any(
            os.fstat(reader).st_size > os.lseek(reader, 0, os.SEEK_CUR) for reader in self._readers
        )

    def rest_of_output(self) -> list[tuple[str, str]]:
        """Return what a dead executor printed and did not send, as (stream, text)."""
        found = []
        for stream, reader in zip(_STREAMS, self._readers, strict=True):
            text = os.read(reader, _MAX_REST).decode("utf-8", "replace").removesuffix("\n")
            if text:
                found.append((stream, text))
        return found

    def last_words(self) -> str:
        """Return the last lines of what it wrote to stderr while it ran its last task."""
        return last_words(self._readers[1])

    def nudge(self) -> None:
        """Make it tell what it keeps to itself."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGURG)


def _unnamed_file(path: Path) -> tuple[int, int]:
    """Make a file that exists only as long as it is open; return descriptors to append and read."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    writer = os.open(path, flags, 0o600)
    try:
        reader = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        path.unlink()
    return writer, reader
