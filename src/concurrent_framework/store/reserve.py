"""Space on the disk that is kept for the moment when there is none."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Reserve:
    """A file that only takes up space, and is removed when that is needed.

    To drop entries a database has to write first. On a disk that the journal itself has filled up
    this would fail, and nothing would ever make room again.

    Args:
        path: the file.
        size: how many bytes it takes up.

    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def take(self) -> None:
        """Take the space unless it is taken; without enough room for it, do nothing."""
        with suppress(OSError):
            if self._path.exists():
                return
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(descriptor, 0, self._size)
                else:  # macOS
                    os.write(descriptor, bytes(self._size))
            except OSError:
                self._path.unlink()
                raise
            finally:
                os.close(descriptor)

    def release(self) -> bool:
        """Give the space back; False if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
