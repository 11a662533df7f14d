"""The environment's log: written with rotation, and read while it is being written."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from concurrent_framework.environment.files import telling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TextIO

    from concurrent_framework.environment.environment import Environment

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@contextmanager
def logging_to(environment: Environment) -> Iterator[None]:
    """Write what is logged in this process into the environment's log as well.

    Raises:
        ConcurrentError: if the log cannot be written.

    """
    layout = environment.layout
    with telling(f"write the log {layout.log}"):
        handler = RotatingFileHandler(
            layout.log,
            maxBytes=environment.log_size,
            backupCount=environment.log_files,
            encoding="utf-8",
        )
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    handler.setLevel(environment.log_level.upper())
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, handler.level))
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines of a log, without their ends; none if there is no log yet."""
    if count <= 0 or not path.is_file():
        return []
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        data = b""
        while position and data.count(b"\n") <= count:
            step = min(position, 8192)
            position -= step
            file.seek(position)
            data = file.read(step) + data
    return data.decode(errors="replace").splitlines()[-count:]


def follow(path: Path, wait: Callable[[], bool]) -> Iterator[str]:
    """Yield the lines that are added to a log, also when a new file is begun meanwhile.

    Args:
        path: the log; it need not exist yet.
        wait: called when there is nothing new; returns False to stop.

    """
    stream: TextIO | None = _open(path, at_end=True)
    partial = ""
    try:
        while True:
            text = stream.read() if stream else ""
            *lines, partial = (partial + text).split("\n")
            yield from lines
            if text:
                continue
            if stream is None or _replaced(stream, path):
                if stream is not None:
                    stream.close()
                if (stream := _open(path, at_end=False)) is not None:
                    continue
            if not wait():
                return
    finally:
        if stream is not None:
            stream.close()


def _open(path: Path, *, at_end: bool) -> TextIO | None:
    try:
        stream = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    if at_end:
        stream.seek(0, os.SEEK_END)
    return stream


def _replaced(stream: TextIO, path: Path) -> bool:
    """Whether another file has taken the log's name."""
    try:
        return path.stat().st_ino != os.fstat(stream.fileno()).st_ino
    except FileNotFoundError:
        return False
