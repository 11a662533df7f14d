"""Files beside a database for its large entries, each of which has one for as long as it is there."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LARGE_SUFFIX = ".large"
"""What the directory's name has behind that of the database."""

_FLAGS = os.O_RDONLY | os.O_DIRECTORY
_flush = getattr(os, "fdatasync", os.fsync)


class SlotFiles:
    """A private directory with numbered files, made when the first of them is written.

    A file that is written again stays as long as it was: what of it counts is said elsewhere.

    Args:
        path: the directory.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._directory = -1
        self._is_new = False
        self._changed = False

    def numbers(self) -> list[int]:
        """Return which files there are."""
        if not self._opened():
            return []
        return [int(name) for name in os.listdir(self._directory) if name.isdecimal()]

    def size(self, number: int) -> int:
        """Return how long a file is, 0 if there is none."""
        try:
            return os.stat(str(number), dir_fd=self._directory).st_size if self._opened() else 0
        except FileNotFoundError:
            return 0

    def write(self, number: int, pieces: Iterable[bytes], *, anew: bool) -> None:
        """Write a file from its beginning; with `anew` it is made, or emptied, before.

        Raises:
            OSError: the disk is full, among other reasons.

        """
        if not self._opened():
            self._path.mkdir(mode=0o700, parents=True)
            self._opened()
            self._is_new = True
        flags = os.O_WRONLY | (os.O_CREAT | os.O_TRUNC if anew else 0)
        descriptor = os.open(str(number), flags, 0o600, dir_fd=self._directory)
        self._changed = self._changed or anew
        try:
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)

    def read(self, number: int, size: int) -> bytes:
        """Return the first bytes of a file: fewer if it is too short, none if it is not there."""
        if not self._opened():
            return b""
        try:
            descriptor = os.open(str(number), os.O_RDONLY, dir_fd=self._directory)
        except FileNotFoundError:
            return b""
        with open(descriptor, "rb") as file:
            return file.read(size)

    def flush(self, numbers: Iterable[int]) -> None:
        """Wait until these files are on the disk, and their names."""
        for number in numbers:
            descriptor = os.open(str(number), os.O_WRONLY, dir_fd=self._directory)
            try:
                _flush(descriptor)
            finally:
                os.close(descriptor)
        if self._changed:
            os.fsync(self._directory)
            self._changed = False
        if self._is_new:
            flush_directory(self._path.parent)
            self._is_new = False

    def remove(self, number: int) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            os.unlink(str(number), dir_fd=self._directory)

    def are_copied(self) -> bool:
        """Whether another process copies them just now, see `held`."""
        try:
            fcntl.flock(self._directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.flock(self._directory, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        """Let go of the directory."""
        if self._directory >= 0:
            os.close(self._directory)
            self._directory = -1

    def _opened(self) -> bool:
        if self._directory < 0:
            with suppress(FileNotFoundError):
                self._directory = os.open(self._path, _FLAGS)
        return self._directory >= 0


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Keep the process that has these files from changing those in use; False if there are none yet."""
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield True
    finally:
        os.close(descriptor)


def flush_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
