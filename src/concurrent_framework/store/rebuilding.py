"""Putting a new SQLite file in the place of a damaged one, such that a crash loses neither."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from concurrent_framework.store.slots import LARGE_SUFFIX, flush_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.store.tables import Tables


class Rebuilding:
    """Replaces a database file by another one that is made beside it.

    Under the name ``….rebuilt`` the new file is complete. From then on the old one is set aside and
    the new one put in its place, by `finish`, which goes on where a crash stopped it.

    Args:
        path: the database.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rebuilt = path.with_name(f"{path.name}.rebuilt")

    @contextmanager
    def fresh(self) -> Iterator[Tables]:
        """Give a new file's tables to fill, which do not exist yet; the end completes it."""
        from concurrent_framework.store.sqlite import connect_to
        from concurrent_framework.store.tables import Tables

        part = self._path.with_name(f"{self._path.name}.rebuilding")
        # What a crash left, its journal included, which SQLite would apply to the new file.
        for suffix in ("", "-journal"):
            Path(f"{part}{suffix}").unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with connect_to(part) as connection:
            connection.exec_driver_sql("PRAGMA synchronous = FULL")
            yield Tables(connection)
        part.replace(self._rebuilt)
        flush_directory(self._path.parent)

    def finish(self) -> str:
        """Put a complete new file in place; return where the old one is, empty if none was due."""
        if not self._rebuilt.exists():
            return ""
        aside = free_name(self._path)
        # The log first: left behind, SQLite would apply it to the new file.
        for suffix in ("-wal", LARGE_SUFFIX, ""):
            old = Path(f"{self._path}{suffix}")
            if old.exists():
                old.rename(f"{aside}{suffix}")
        Path(f"{self._path}-shm").unlink(missing_ok=True)
        flush_directory(self._path.parent)
        self._rebuilt.rename(self._path)
        flush_directory(self._path.parent)
        return str(aside)


def free_name(path: Path) -> Path:
    """Return a name beside a database that says it is damaged, and when that was found."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = first = f"{path.name}.damaged-{stamp}"
    count = 1
    while any(path.with_name(f"{name}{suffix}").exists() for suffix in ("", "-wal", LARGE_SUFFIX)):
        count += 1
        name = f"{first}-{count}"
    return path.with_name(name)
