"""The environment's log: written with rotation, and read while it is being written."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from concurrent_framework.environment.files import telling
from concurrent_framework.launch.logs import formatter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO, TextIO

    from concurrent_framework.application.console import Display
    from concurrent_framework.environment.environment import Environment

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _LogFile(RotatingFileHandler):
    """Says once, in one line, that the log cannot be written; the node goes on without it."""

    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Tell the first time."""
        del record
        if not self._told:
            self._told = True
            error = sys.exc_info()[1]
            sys.stderr.write(f"error: cannot write the log {self.baseFilename}: {error}\n")

    def close(self) -> None:
        """Close the file; what could not be written has been told."""
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(environment: Environment, *, echo: bool = False) -> Iterator[logging.Logger]:
    """Give a logger that writes into the environment's log, where all of `logging` goes as well.

    Args:
        environment: whose log.
        echo: whether to show on stderr too what is given to this logger.

    Raises:
        ConcurrentError: if the log cannot be written.

    """
    layout, level = environment.layout, environment.log_level.upper()
    with telling(f"write the log {layout.log}"):
        handler = _LogFile(
            layout.log,
            maxBytes=environment.log_size,
            backupCount=environment.log_files,
            encoding="utf-8",
        )
    handler.setFormatter(formatter_for(environment.config, environment.title, _FORMAT))
    handler.setLevel(level)
    log = logging.Logger("concurrent", level)  # noqa: LOG001 (each node has one of its own)
    log.addHandler(handler)
    if echo:
        shown = logging.StreamHandler()
        shown.setFormatter(formatter_for(environment.config, environment.title))
        log.addHandler(shown)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(min(before, handler.level))
    try:
        yield log
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()


class LoggedDisplay:
    """Shows what another display shows, and keeps its lines in a log.

    Args:
        display: the other one.
        log: where to keep them.

    """

    def __init__(self, display: Display, log: logging.Logger) -> None:
        self._display = display
        self._log = log

    def line(self, text: str, *, error: bool) -> None:
        """Show and keep a line."""
        self._log.log(logging.ERROR if error else logging.INFO, "%s", text)
        self._display.line(text, error=error)

    def progress(self, done: float, total: float, message: str) -> None:
        """Show how far the application is."""
        self._display.progress(done, total, message)

    def close(self) -> None:
        """Stop showing."""
        self._display.close()


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a log, without their ends; none if there is no log yet."""
    if count <= 0 or not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(_start_of_last(file, count))
        return file.read().decode(errors="replace").splitlines()


def _start_of_last(file: BinaryIO, count: int) -> int:
    """Return where the last lines of a file begin; one that has no end yet counts, too."""
    position = end = file.seek(0, os.SEEK_END)
    if not count:
        return end
    data = b""
    while position and data.rstrip(b"\n").count(b"\n") < count:
        step = min(position, 8192)
        position -= step
        file.seek(position)
        data = file.read(step) + data
    lines = data.splitlines(keepends=True)
    return end - sum(map(len, lines[-count:]))


def follow(path: Path, wait: Callable[[], bool], last: int = 0) -> Iterator[str]:
    """Yield the lines that are added to a log, also when a new file is begun meanwhile.

    Args:
        path: the log; it need not exist yet.
        wait: called when there is nothing new; returns False to stop.
        last: so many lines that are there already come first.

    """
    stream = _open(path, last)
    partial = ""
    try:
        while True:
            replaced = stream is None or _replaced(stream, path)
            # What was written just before another file took the name is read here all the same.
            text = stream.read() if stream else ""
            *lines, partial = (partial + text).split("\n")
            yield from lines
            if replaced and (following := _open(path, None)) is not None:
                if stream is not None:
                    stream.close()
                stream = following
            elif not text and not wait():
                return
    finally:
        if stream is not None:
            stream.close()


def _open(path: Path, last: int | None) -> TextIO | None:
    """Open a log at the beginning of its last lines, with None at that of the first."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return None
    stream.seek(0 if last is None else _start_of_last(stream, last))
    return io.TextIOWrapper(stream, encoding="utf-8", errors="replace")


def _replaced(stream: TextIO, path: Path) -> bool:
    """Whether another file has taken the log's name."""
    try:
        return path.stat().st_ino != os.fstat(stream.fileno()).st_ino
    except FileNotFoundError:
        return False
