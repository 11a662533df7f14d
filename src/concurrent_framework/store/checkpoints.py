"""When what is in SQLite's log is copied into the database, and what must be on the disk before."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.store.large import LargeEntries

PAGE = 4096
LOG = 4 * 1024 * 1024
"""Size of the write-ahead log, in bytes, about, at which it is copied into the database."""


class Checkpoints:
    """Makes checkpoints in the place of SQLite, which does not know of the files beside its database.

    Args:
        execute: executes a statement.
        large: the files.

    """

    def __init__(self, execute: Callable[[str], Any], large: LargeEntries) -> None:
        self._execute = execute
        self._large = large
        self._logged = 0

    def wrote(self, size: int) -> None:
        """Take note that a row of this size was written, and if it is time, make a checkpoint."""
        # A row changes its page, and in the mean another one if it is not small.
        self._logged += PAGE + size + min(PAGE, size)
        if self._logged >= LOG or (self._large.waiting and self._large.wants_checkpoint()):
            self.make()

    def make(self, mode: str = "PASSIVE") -> None:
        """Make a checkpoint; if that fails, as on a full disk, the log has it all, and the next may succeed."""
        try:
            self._large.flush()
            busy, logged, copied = self._execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except (sqlite3.Error, OSError):
            return
        if not busy and logged == copied:
            self._logged = 0
            self._large.made_durable()
