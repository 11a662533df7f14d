"""What a system host's user code prints and logs, on its way to the application."""

from __future__ import annotations

import io
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from concurrent_framework.protocol.tasks import OutputLine

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST = 0.2
"""Seconds after which a line leaves even if the code that printed it has not returned."""


class Teller:
    """Takes the place of sys.stdout and sys.stderr of a process.

    Args:
        send: takes lines to be shown.

    """

    def __init__(self, send: Callable[[tuple[OutputLine, ...]], None]) -> None:
        self.key = 0
        self.source = ""
        self._send = send
        self._lines: list[OutputLine] = []
        self._flushed = time.monotonic()
        self._out = _Stream(self, "stdout")
        self._err = _Stream(self, "stderr")
        self._before: tuple[Any, Any] = (None, None)
        self.log = self._logger()

    def __enter__(self) -> None:
        self._before = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = self._out, self._err

    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self._before

    def speak_for(self, key: int, source: str) -> None:
        """Say whose code runs from now on: a task or a task system."""
        if (key, source) != (self.key, self.source):
            self._out.end_line()
            self._err.end_line()
            self.key, self.source = key, source

    def say(self, stream: str, text: str) -> None:
        """Add text of a stream or of a logging level."""
        self._lines.append(OutputLine(self.key, self.source, "", stream, text))
        if time.monotonic() - self._flushed > LATEST:
            self._leave()

    def flush(self) -> None:
        """Send what there is, unfinished lines too."""
        self._out.end_line()
        self._err.end_line()
        if self._lines:
            self._leave()

    def _leave(self) -> None:
        lines, self._lines = tuple(self._lines), []
        self._flushed = time.monotonic()
        self._send(lines)

    def _logger(self) -> logging.Logger:
        teller = self

        class Told(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                teller.say(record.levelname.lower(), self.format(record))

        logger = logging.Logger("system", logging.INFO)  # noqa: LOG001 (each host has its own)
        logger.addHandler(Told())
        return logger


class _Stream(io.TextIOBase):
    def __init__(self, teller: Teller, name: str) -> None:
        self._teller = teller
        self._name = name
        self._partial = ""

    def write(self, text: str) -> int:
        complete, newline, rest = (self._partial + text).rpartition("\n")
        self._partial = rest
        if newline:
            self._teller.say(self._name, complete)
        return len(text)

    def writable(self) -> bool:
        return True

    def end_line(self) -> None:
        if self._partial:
            text, self._partial = self._partial, ""
            self._teller.say(self._name, text)
