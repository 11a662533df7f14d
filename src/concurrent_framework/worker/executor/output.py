"""What tasks print: file descriptors 1 and 2 lead into files that the worker can read as well.

Each file is open twice: for appending, and for reading with an offset that executor and worker
share. What lies behind the offset has not been sent yet; after a crash the worker reads on there.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from concurrent_framework.protocol.tasks import OutputLine
from concurrent_framework.sandbox.tail import last_words

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TASK_OUTPUT = 1 << 20
"""Bytes of output of one task that are passed on."""
_TRUNCATE_BEYOND = 1 << 20


class TaskStream(io.TextIOWrapper):
    """`sys.stdout` or `sys.stderr` of an executor: notes that something was written."""

    def __init__(self, fd: int, written: Callable[[], None]) -> None:
        raw = io.BufferedWriter(io.FileIO(fd, "wb", closefd=False))
        super().__init__(raw, "utf-8", "backslashreplace", line_buffering=True)
        self._written = written

    def write(self, text: str) -> int:
        """Write, and tell."""
        count = super().write(text)
        self._written()
        return count


class Output:
    """Collects what was written since the last time, as rows that name a task.

    Args:
        worker: name of the worker, for the rows.
        readers: descriptors to read what was written to 1 and 2.
        written: called after each write to `sys.stdout` or `sys.stderr`.

    Attributes:
        dirty: something was written through Python since the last time.
        sent: characters that the running task has written and that were returned.

    """

    def __init__(self, worker: str, readers: tuple[int, int], written: Callable[[], None]) -> None:
        self.dirty = False
        self._worker = worker
        self._files = (("stdout", readers[0], 1), ("stderr", readers[1], 2))
        self._tell = written
        self._streams = (TaskStream(1, self._note), TaskStream(2, self._note))
        self.sent = 0
        self.install()

    def install(self) -> None:
        """Make print and friends write here."""
        sys.stdout, sys.stderr = self._streams

    def replaced(self) -> bool:
        """Whether a task has put something else in place."""
        return sys.stdout is not self._streams[0] or sys.stderr is not self._streams[1]

    def flush(self) -> None:
        """Write out incomplete lines that Python still holds back."""
        for stream in self._streams:
            try:
                stream.flush()
            except (OSError, ValueError, RuntimeError):
                continue

    def take(self, key: int, source: str, *, whole: bool) -> list[OutputLine]:
        """Return what was written, as output of this task.

        Args:
            key: the task.
            source: its name.
            whole: also an incomplete last line, since the task has ended.

        """
        self.dirty = False
        if whole and self.replaced():
            self.install()
        lines = []
        for stream, reader, writer in self._files:
            if os.fstat(reader).st_size <= os.lseek(reader, 0, os.SEEK_CUR):
                continue
            text = self._read(reader, whole=whole)
            if text:
                lines.append(OutputLine(key, source, self._worker, stream, text))
            if whole or os.fstat(reader).st_size > _TRUNCATE_BEYOND:
                _forget(reader, writer)
        return self._capped(lines)

    def row(self, key: int, source: str, stream: str, text: str) -> list[OutputLine]:
        """Return a line that the task logged, unless it has said too much already."""
        return self._capped([OutputLine(key, source, self._worker, stream, text)])

    def last_words(self) -> str:
        """Return the last lines that the running task has written to stderr."""
        self.flush()
        return last_words(self._files[1][1])

    def _note(self) -> None:
        self.dirty = True
        self._tell()

    def _read(self, reader: int, *, whole: bool) -> str:
        room = MAX_TASK_OUTPUT - self.sent + 1
        data = os.read(reader, max(room, 1))
        if len(data) == max(room, 1):
            os.lseek(reader, 0, os.SEEK_END)
        elif not whole:
            complete = data.rfind(b"\n") + 1
            os.lseek(reader, complete - len(data), os.SEEK_CUR)
            data = data[:complete]
        return data.decode("utf-8", "replace").removesuffix("\n")

    def _capped(self, lines: list[OutputLine]) -> list[OutputLine]:
        if self.sent > MAX_TASK_OUTPUT:
            return []
        for line in lines:
            self.sent += len(line.text) + 1
        if self.sent > MAX_TASK_OUTPUT:
            text = f"(the task wrote more than {MAX_TASK_OUTPUT >> 10} KiB; the rest is left out)"
            last = lines[-1]
            lines.append(OutputLine(last.key, last.source, self._worker, "warning", text))
        return lines


def _forget(reader: int, writer: int) -> None:
    """Empty the file: it holds nothing that is not read, or far too much."""
    os.ftruncate(writer, 0)
    os.lseek(reader, 0, os.SEEK_SET)
