"""Copies of SQLite databases as of one moment, also of one that its program has for itself.

A master keeps its journal locked for as long as it runs, so that SQLite lets nobody else read it. Its
files are copied then. What it has beside the database, its large entries, is put into the copy. All that reaches the database meanwhile is in the write-ahead log, too, until
that is begun anew with another header: a copy that was made under one header is whole, since
SQLite writes into it again what the log holds.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.store.inlining import put_inside
from concurrent_framework.store.slots import LARGE_SUFFIX, held

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"SQLite format 3\0"
_SIDE_FILES = ("-wal", "-shm", "-journal", ".lock", LARGE_SUFFIX)
"""What SQLite has beside a database, and what a master's store has: who uses it, and large entries."""
_VERSIONS = 18
"""Where a database's header says how it is written and read."""
_WITH_LOG = b"\2\2"
_LOG_HEADER = 32
_PATIENCE = 2.0
"""Seconds to wait for a program that has locked a database for a moment."""
_TRIES = 100


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    with path.open("rb") as source:
        return source.read(len(_MAGIC)) == _MAGIC


def is_side_file(path: Path) -> bool:
    """Whether this file or directory belongs to a database beside it, whose copy needs it no more."""
    for suffix in _SIDE_FILES:
        if path.name.endswith(suffix):
            database = path.with_name(path.name.removesuffix(suffix))
            if database.is_file() and (path.is_file() or _holds_numbers(path)):
                return is_database(database)
    return False


def _holds_numbers(folder: Path) -> bool:
    return all(one.name.isdecimal() for one in folder.iterdir())


@contextmanager
def copied(path: Path, beside: Path) -> Iterator[BinaryIO]:
    """Copy a database as of one moment; the copy is there while the `with` block lasts.

    Args:
        path: the database.
        beside: the directory to make the copy in.

    Raises:
        ConcurrentError: if it is damaged, locked for long, or changes faster than it is copied.

    """
    with tempfile.TemporaryDirectory(dir=beside) as folder:
        copy = Path(folder) / "copy.db"
        try:
            _copy_whole(path, copy)
        except sqlite3.Error as error:
            message = f"cannot copy the database {path}: {error}"
            raise ConcurrentError(message) from None
        copy.chmod(stat.S_IMODE(path.stat().st_mode))
        with copy.open("rb") as file:
            yield file


def _copy_whole(path: Path, copy: Path) -> None:
    large = Path(f"{path}{LARGE_SUFFIX}")
    for _ in range(_TRIES):
        with held(large) as kept:
            if not _copy_by_reading(path, copy):
                _copy_files(path, copy)
            # Files that came after the look at the directory may have been written again meanwhile.
            if not large.is_dir() or put_inside(copy, large) or kept:
                return
    raise _too_fast(path)


def _too_fast(path: Path) -> ConcurrentError:
    message = f"the database {path} changes faster than it can be copied: try again later"
    return ConcurrentError(message)


def _copy_by_reading(path: Path, copy: Path) -> bool:
    """Copy by SQLite's own means; False if another program has the database for itself."""
    source = f"{path.as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(source, uri=True, timeout=_PATIENCE)) as database,
        closing(sqlite3.connect(copy)) as target,
    ):
        try:
            # While this reads, nothing can lock the database: to copy it would wait without end.
            database.execute("BEGIN")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not _has_log(path):
                raise
            return False
        database.backup(target)
    return True


def _copy_files(path: Path, copy: Path) -> None:
    log, log_copy = Path(f"{path}-wal"), Path(f"{copy}-wal")
    for _ in range(_TRIES):
        before = _generation(path, log)
        shutil.copyfile(path, copy)
        shutil.copyfile(log, log_copy)
        if _generation(path, log) == before:
            break
    else:
        raise _too_fast(path)
    with closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if (found := str(database.execute("PRAGMA quick_check(1)").fetchone()[0])) != "ok":
            message = f"the database {path} is damaged: {' '.join(found.split())}"
            raise ConcurrentError(message)


def _has_log(path: Path) -> bool:
    with path.open("rb") as source:
        source.seek(_VERSIONS)
        return source.read(2) == _WITH_LOG


def _generation(path: Path, log: Path) -> object:
    """Return what changes when the log is begun anew."""
    with log.open("rb") as source:
        header = source.read(_LOG_HEADER)
    if header:
        return header
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size
