"""The file beside a database that says who has it, and how far it was written."""

from __future__ import annotations

import fcntl
import os
import socket
from typing import TYPE_CHECKING

from concurrent_framework.store.base import StoreError

if TYPE_CHECKING:
    from pathlib import Path

_DIGITS = 20


class LockFile:
    """A lock that ends with its process, on a file with two lines.

    The first line is the number of the newest entry, written after each. It survives the process
    but is not flushed to the disk, so a database that is behind it has lost entries, and one that
    is ahead of it has not. The second line says who has the lock.

    Args:
        path: the file; made if there is none.
        owner: what people call the master.

    Raises:
        OSError: the file cannot be made or written.
        StoreError: another process has the lock, or this one elsewhere.

    """

    def __init__(self, path: Path, owner: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._take(path)
            self.marked = self._read()
            process = f"{owner} (process {os.getpid()} on {socket.gethostname()})"
            os.ftruncate(self._descriptor, _DIGITS + 1)
            os.pwrite(self._descriptor, f"{self.marked:0{_DIGITS}}\n{process}\n".encode(), 0)
        except BaseException:
            self.close()
            raise

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lines = os.pread(self._descriptor, 1000, 0).decode(errors="replace").split("\n")
            holder = lines[1] if len(lines) > 1 and lines[1] else "another process"
            message = (
                f"the journal {path.with_suffix('')} is in use by {holder}: stop that one first, "
                "or give this master another directory"
            )
            raise StoreError(message) from None

    def _read(self) -> int:
        text = os.pread(self._descriptor, _DIGITS, 0)
        return int(text) if text.isdigit() and len(text) == _DIGITS else 0

    def mark(self, number: int) -> None:
        """Note the number of the newest entry."""
        self.marked = number
        os.pwrite(self._descriptor, b"%020d" % number, 0)

    def close(self) -> None:
        """Release the lock. The file stays: to remove it would let two processes lock two files."""
        os.close(self._descriptor)
