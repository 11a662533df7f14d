"""The journal in an SQLite file, which is the default: nothing to install or to run."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from errno import EDQUOT, EFBIG, EIO, EMFILE, ENFILE, ENOSPC, EROFS
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.components import Component, implements
from concurrent_framework.config import Option
from concurrent_framework.store.base import StoreError
from concurrent_framework.store.checkpoints import LOG, PAGE, Checkpoints
from concurrent_framework.store.engine import IDatabaseEngine, Trouble
from concurrent_framework.store.large import LargeEntries
from concurrent_framework.store.lock import LockFile
from concurrent_framework.store.rebuilding import Rebuilding, free_name
from concurrent_framework.store.reserve import Reserve
from concurrent_framework.store.slots import LARGE_SUFFIX, SlotFiles
from concurrent_framework.store.sql import SqlStore
from concurrent_framework.store.survey import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from concurrent_framework.store.engine import Sync
    from concurrent_framework.store.places import StorePlaces
    from concurrent_framework.store.tables import Tables
    from concurrent_framework.store.write import Write

FILE = "journal.db"
_WORTH_TIDYING = 64 * 1024 * 1024
"""Bytes of unused space in the file from which on it is made smaller, and of what is copied then."""

_RESERVE = 8 * 1024 * 1024
"""Bytes kept for dropping entries on a full disk."""

_PATIENCE = 1.0
"""Seconds to wait when another program has locked the file."""

_INSERT = "INSERT INTO concurrent_entries (number, crc32, data) VALUES (?, ?, ?)"
_INSERT_LARGE = (
    "INSERT INTO concurrent_entries (number, crc32, data, file, size) VALUES (?, ?, x'', ?, ?)"
)
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    }
)
_FULL = frozenset({ENOSPC, EROFS, EDQUOT, EFBIG, EIO, EMFILE, ENFILE})


class SqliteEngine(Component):
    """SQLite: a file that one process has for itself."""

    implements(IDatabaseEngine)
    name = "sqlite"

    path = Option(
        "store",
        "path",
        default="",
        doc="File of the SQLite journal. Default: journal.db in the master's data directory.",
    )

    def __init__(self) -> None:
        self._lock: LockFile | None = None
        self._connection: Connection | None = None
        self._driver: Any = None
        self._execute: Callable[..., Any] | None = None
        self._large: LargeEntries | None = None
        self._checkpoints: Checkpoints | None = None

    def locate(self, places: StorePlaces) -> str:
        """Learn the path of the file."""
        if self.path:
            self._path = Path(self.path).expanduser().absolute()
        elif places.directory is not None:
            self._path = places.directory.absolute() / FILE
        else:
            message = "there is no place for the journal: set store.path to the path of a file"
            raise StoreError(message)
        self._owner = places.owner
        self._reserve = Reserve(self._path.with_name(f"{self._path.name}.reserve"), _RESERVE)
        return str(self._path)

    def signature(self) -> str:
        """Return the master's name; who has the file just now is written beside it."""
        return self._owner

    def lock(self) -> None:
        """Lock the file beside the database, and make both private."""
        path = self._path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = LockFile(path.with_name(f"{path.name}.lock"), self._owner)
        Rebuilding(path).finish()
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

    def connect(self, sync: Sync) -> Tables:
        """Open the file, for this connection alone."""
        from concurrent_framework.store.tables import Tables

        self.disconnect()
        connection = self._connection = connect_to(self._path)
        # Alone, SQLite needs neither a shared index of the log nor a lock for each transaction.
        connection.exec_driver_sql("PRAGMA locking_mode = EXCLUSIVE")
        self._demand_ours(connection)
        self._path.chmod(0o600)
        for setting in (
            f"page_size = {PAGE}",
            "journal_mode = WAL",
            f"synchronous = {sync.upper()}",
            "wal_autocheckpoint = 0",
            f"journal_size_limit = {4 * LOG}",
            "cell_size_check = ON",
        ):
            connection.exec_driver_sql(f"PRAGMA {setting}")
        self._driver = connection.connection.driver_connection
        directory = Path(f"{self._path}{LARGE_SUFFIX}")
        with suppress(FileNotFoundError):
            directory.chmod(0o700)
        self._large = LargeEntries(SlotFiles(directory), sync)
        self._execute = self._driver.execute
        self._checkpoints = Checkpoints(self._execute, self._large)
        return Tables(connection, self._large.read)

    def _demand_ours(self, connection: Connection) -> None:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
        if names and not any(one.startswith("concurrent_") for one in names):
            message = (
                f"{self._path} is a database of something else (it has {names[0]!r}): "
                "set store.path to another file"
            )
            raise StoreError(message)

    def append(self, write: Write) -> None:
        """Insert a row; the driver keeps the statement prepared."""
        large, execute, checkpoints = self._large, self._execute, self._checkpoints
        assert large is not None
        assert execute is not None
        assert checkpoints is not None
        number, crc, size, pieces, _ = write
        try:
            if size >= large.limit:
                file = large.write(number, size, pieces)
                execute(_INSERT_LARGE, (number, crc, file, size))
                size = 0
            else:
                data = pieces[0] if len(pieces) == 1 else write.data()
                execute(_INSERT, (number, crc, data))
        except BaseException:
            large.give_up_spare()
            raise
        if not self._driver.in_transaction:
            checkpoints.wrote(size)

    def mark(self, number: int) -> None:
        """Note the number in the lock's file."""
        assert self._lock is not None
        # The entry is safe without the note, which only helps to notice that entries got lost.
        with suppress(OSError):
            self._lock.mark(number)

    def marked(self) -> int:
        """Return the number in the lock's file."""
        assert self._lock is not None
        return self._lock.marked

    def trouble(self, error: Exception) -> Trouble | None:
        """Sort by SQLite's result codes, and those of the file system."""
        from sqlalchemy.exc import DBAPIError

        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, OSError):
            kind: Literal["busy", "wrong"] = "busy" if cause.errno in _FULL else "wrong"
            return Trouble(cause.strerror or str(cause), kind)
        if not isinstance(cause, sqlite3.Error):
            return None
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        # Our statements are always the same: if they do not fit, the schema is damaged.
        if code in _DAMAGED or str(cause).startswith(("no such ", "Could not decode ")):
            return Trouble(str(cause), "damaged")
        return Trouble(str(cause), "busy" if code in _BUSY else "wrong")

    def set_aside(self, tables: Tables | None, first: int, head: int) -> str:
        """Copy the good entries into a new file, and give the old one another name."""
        rebuilding = Rebuilding(self._path)
        with rebuilding.fresh() as fresh:
            fresh.create(self._owner, first)
            if tables is not None:
                with fresh.transaction():
                    for row in tables.read_all(first - 1, head, AT_ONCE):
                        fresh.add(row)
        self.disconnect()
        return rebuilding.finish()

    def inspect(self, tables: Tables) -> str:
        """Let SQLite check the structure of the file."""
        found = str(tables.connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        return "" if found == "ok" else " ".join(found.split())

    def keep_remains(self) -> str:
        """Copy the write-ahead log: SQLite ignores what follows the first bad frame in it."""
        log = Path(f"{self._path}-wal")
        try:
            if not log.stat().st_size:
                return ""
        except FileNotFoundError:
            return ""
        kept = free_name(self._path).with_name(f"{free_name(self._path).name}-wal")
        shutil.copyfile(log, kept)
        kept.chmod(0o600)
        return str(kept)

    def relieve(self) -> bool:
        """Give the reserve back to the disk, and files that hold nothing."""
        if self._large is not None:
            self._large.give_up_spare()
        return self._reserve.release()

    def take_stock(self, tables: Tables) -> None:
        """See which files there are beside the database, and remove those that are not needed."""
        assert self._large is not None
        assert self._checkpoints is not None
        if self._large.take_stock(tables.files()):
            self._checkpoints.make()
            self._large.give_up_spare()

    def tidy(self, tables: Tables, first: int, live: int) -> None:
        """Make the file smaller when it is mostly unused and little has to be copied for it."""
        assert self._large is not None
        assert self._checkpoints is not None
        self._large.dropped(first - 1)
        self._checkpoints.wrote(0)
        connection = tables.connection
        unused = PAGE * int(connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0)
        if unused >= max(_WORTH_TIDYING, 4 * live) and live <= _WORTH_TIDYING:
            from sqlalchemy.exc import OperationalError

            # On a full disk it stays as large as it is, and is used again from within.
            with suppress(OperationalError):
                connection.exec_driver_sql("VACUUM")
                self._checkpoints.make("TRUNCATE")
        self._reserve.take()

    def disconnect(self) -> None:
        """Close the database."""
        connection, self._connection = self._connection, None
        large, self._large, self._checkpoints = self._large, None, None
        if large is not None:
            # To close a database is a checkpoint, too.
            with suppress(OSError):
                large.flush()
        if connection is not None:
            connection.close()
        if large is not None:
            large.close()

    def close(self) -> None:
        """Close the database, and let others have it."""
        if self._large is not None and self._checkpoints is not None:
            self._checkpoints.make()
            self._large.give_up_spare()
        self.disconnect()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class SqliteStore(SqlStore):
    """Keeps the journal in an SQLite file."""

    name = "sqlite"
    engine = SqliteEngine


def connect_to(path: Path) -> Connection:
    """Open an SQLite file in autocommit mode."""
    from sqlalchemy import URL, NullPool, create_engine

    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": _PATIENCE},
    )
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")
