"""The executor's ends of the socket and of the token pipe."""

from __future__ import annotations

import os
import socket
from collections import deque
from typing import TYPE_CHECKING

from concurrent_framework.protocol.codec import Codec
from concurrent_framework.protocol.executor import CancelRunning, Chunk, Load, ToExecutor
from concurrent_framework.protocol.stream import Assembler, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from concurrent_framework.protocol.executor import Done, Ready
    from concurrent_framework.protocol.tasks import Assigned

_MAX_BUFFERS = 512


class Link:
    """Messages to and from the worker. Its end is the end of this process."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._codec: Codec[Load | Chunk | CancelRunning] = Codec(ToExecutor)
        self._assembler = Assembler()
        self._inbox: deque[Load | Chunk | CancelRunning] = deque()
        self._number = 0

    def wait(self) -> Load | Chunk | CancelRunning:
        """Return the next message; raises EOFError when the worker is gone."""
        while not self._inbox:
            self._take(self._socket.recv_into(self._assembler.space()))
        return self._inbox.popleft()

    def look(self) -> None:
        """Take in what has arrived, without waiting."""
        try:
            self._take(self._socket.recv_into(self._assembler.space(), 0, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return

    def arrived(self, wanted: Callable[[Load | Chunk | CancelRunning], bool]) -> bool:
        """Whether a message that is `wanted` has arrived and not been returned yet."""
        return any(map(wanted, self._inbox))

    def send(self, message: Done | Ready) -> None:
        """Write a message, however long that takes; raises OSError when the worker is gone."""
        self._number += 1
        buffers = pack(self._codec.encode([message], self._number))
        if len(buffers) == 1:
            self._socket.sendall(buffers[0])
            return
        parts = [memoryview(buffer).cast("B") for buffer in buffers if len(buffer)]
        while parts:
            sent = self._socket.sendmsg(parts[:_MAX_BUFFERS])
            while parts and sent >= len(parts[0]):
                sent -= len(parts.pop(0))
            if sent:
                parts[0] = parts[0][sent:]

    def _take(self, count: int) -> None:
        if not count:
            raise EOFError
        for frames in self._assembler.received(count):
            self._inbox.extend(self._codec.decode(frames)[1])


class Claims:
    """The right to start a task, taken byte by byte out of the token pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._kept = b""

    def claimed(self, rows: Sequence[Assigned], generation: int) -> Iterator[Assigned]:
        """Iterate over those of a chunk's tasks that may be started, claiming each just then.

        It ends early when the rest has been withdrawn. A token of another generation says so too,
        and is kept: it is the right to start the first task of that generation.
        """
        token, fd, read = bytes([generation & 0xFF]), self._fd, os.read
        found, self._kept = self._kept, b""
        for row in rows:
            if not found:
                try:
                    found = read(fd, 1)
                except BlockingIOError:
                    return
            if found != token:
                self._kept = found
                return
            found = b""
            yield row
