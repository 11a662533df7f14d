"""The journal in a PostgreSQL database: for masters whose machine is not to be relied on."""

from __future__ import annotations

import os
import secrets
import socket
import time
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from concurrent_framework.components import Component, implements
from concurrent_framework.config import Option
from concurrent_framework.store.base import StoreError, StoreUnavailableError
from concurrent_framework.store.engine import IDatabaseEngine, Trouble
from concurrent_framework.store.sql import SqlStore

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from concurrent_framework.store.engine import Sync
    from concurrent_framework.store.places import StorePlaces
    from concurrent_framework.store.tables import Tables
    from concurrent_framework.store.write import Write

_INSERT = b"INSERT INTO concurrent_entries (number, crc32, data) VALUES (%s, %s, %b)"
_LOCK = "SELECT pg_advisory_lock(hashtextextended('concurrent ' || current_schema(), 0))"
_COMMIT = {"off": "off", "normal": "local", "full": "on"}

# Both ends notice soon that the other one is cut off: the master stands still until it does, and
# the lock is held until the server does.
_KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives_idle": 2,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 6_000,
    "application_name": "concurrent",
}
_SERVER_KEEPALIVE = (
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)

_DAMAGED = frozenset({"XX001", "XX002"})
_GONE = frozenset({"57P01", "57P02", "57P03", "57P05"})
_BUSY_CLASSES = frozenset({"53", "40", "58", "57", "55"})
_READ_ONLY = "25006"


class PostgresqlEngine(Component):
    """PostgreSQL by psycopg."""

    implements(IDatabaseEngine)
    name = "postgresql"

    url = Option(
        "store",
        "url",
        default="",
        secret=True,
        doc="PostgreSQL database of the journal: postgresql://user:password@host/database.",
    )

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._driver: Any = None
        self._cursor: Any = None

    def locate(self, places: StorePlaces) -> str:
        """Read the URL."""
        from sqlalchemy.exc import ArgumentError

        if find_spec("psycopg") is None:
            message = (
                "the store 'postgresql' needs psycopg: "
                "run `pip install 'concurrent-framework[postgres]'`"
            )
            raise StoreError(message)
        self._url = self._parsed(self.url, ArgumentError)
        self._signature = (
            f"{places.owner} (process {os.getpid()} on {socket.gethostname()}, "
            f"session {secrets.token_hex(4)})"
        )
        host = self._url.host or self._url.query.get("host") or "this machine"
        return f"in the PostgreSQL database {self._url.database or ''!r} at {host}"

    def _parsed(self, text: str, malformed: type[Exception]) -> URL:
        from sqlalchemy import make_url

        example = "set store.url, as in postgresql://user@host/database"
        if not text:
            message = f"there is no database for the journal: {example}"
            raise StoreError(message)
        try:
            url = make_url(text)
        except (malformed, ValueError):
            # Not even as the cause: its message may show the password.
            message = f"the URL of the journal's database is malformed: {example}"
            raise StoreError(message) from None
        if url.drivername.partition("+")[0] not in {"postgresql", "postgres"}:
            message = f"the journal's store 'postgresql' cannot use {url.drivername!r}: {example}"
            raise StoreError(message)
        return url.set(drivername="postgresql+psycopg")

    def signature(self) -> str:
        """Return who this is; no two sessions have the same."""
        return self._signature

    def lock(self) -> None:
        """Do nothing: the server keeps others out."""

    def connect(self, sync: Sync) -> Tables:
        """Connect and take the lock of the tables."""
        from sqlalchemy import NullPool, create_engine

        from concurrent_framework.store.tables import Tables

        self.disconnect()
        engine = create_engine(
            self._url, poolclass=NullPool, hide_parameters=True, connect_args=_KEEPALIVE
        )
        connection = self._connection = engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        )
        self._driver = connection.connection.driver_connection
        for setting in (*_SERVER_KEEPALIVE, f"SET synchronous_commit = {_COMMIT[sync]}"):
            connection.exec_driver_sql(setting)
        self._be_alone(connection)
        self._cursor = self._driver.cursor()
        return Tables(connection)

    def _be_alone(self, connection: Connection) -> None:
        """Take the lock; it ends with this connection."""
        from psycopg.errors import LockNotAvailable
        from sqlalchemy.exc import DBAPIError

        # The server may need a moment to notice that a killed master's connection has ended.
        connection.exec_driver_sql("SET lock_timeout = '2s'")
        try:
            connection.exec_driver_sql(_LOCK)
        except DBAPIError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            holder = self._holder(connection)
            if holder == self._signature:
                message = "the server has not noticed yet that the earlier connection broke"
                raise StoreUnavailableError(message) from None
            message = (
                f"the journal in the database {self._url.database!r} is in use by {holder}: stop "
                "that one first, or give this master another database or schema"
            )
            raise StoreError(message) from None
        connection.exec_driver_sql("SET lock_timeout = 0")

    def _holder(self, connection: Connection) -> str:
        from sqlalchemy.exc import DBAPIError

        from concurrent_framework.store.tables import Tables

        # The tables may not be there yet.
        with suppress(DBAPIError, KeyError):
            return Tables(connection).facts()["owner"]
        return "another master"

    def append(self, write: Write) -> None:
        """Insert a row by a statement that the server has prepared."""
        self._cursor.execute(_INSERT, (write.number, write.crc, write.data()), prepare=True)

    def mark(self, number: int) -> None:
        """Do nothing: a server that lost entries is beyond what a note could tell."""

    def marked(self) -> int:
        """Return 0: there is no note."""
        return 0

    def trouble(self, error: Exception) -> Trouble | None:
        """Sort by SQLSTATE; an error without one comes from the connection."""
        import psycopg
        from sqlalchemy.exc import DBAPIError

        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, psycopg.Error):
            return None
        text, state = self._clean(cause), cause.sqlstate or ""
        if state in _DAMAGED:
            return Trouble(text, "damaged")
        broken = self._driver is None or self._driver.closed
        if broken or state in _GONE or state.startswith("08"):
            return Trouble(text, "lost")
        if state[:2] in _BUSY_CLASSES or state == _READ_ONLY:
            return Trouble(text, "busy")
        return Trouble(text, "wrong")

    def _clean(self, error: Exception) -> str:
        """Return an error's text in one line, without the password."""
        text = " ".join(str(error).split())
        password = self._url.password
        return text.replace(str(password), "***") if password else text

    def set_aside(self, tables: Tables | None, first: int, head: int) -> str:
        """Give the damaged table another name, and copy the good entries into a new one."""
        from concurrent_framework.store.tables import ENTRIES, SCHEMA

        name = f"concurrent_damaged_{time.strftime('%Y%m%dt%H%M%Sz', time.gmtime())}"
        if tables is None:
            message = "the tables of the journal cannot be read at all: restore the database"
            raise StoreError(message)
        connection = tables.connection
        with tables.transaction():
            connection.exec_driver_sql(f"ALTER TABLE {ENTRIES.name} RENAME TO {name}")
            connection.exec_driver_sql(f"ALTER INDEX {ENTRIES.name}_pkey RENAME TO {name}_pkey")
            SCHEMA.create_all(connection)
            connection.exec_driver_sql(
                f"INSERT INTO {ENTRIES.name} SELECT * FROM {name} "  # noqa: S608 (names of our own)
                f"WHERE number BETWEEN {first} AND {head}"
            )
        return f"the table {name}"

    def inspect(self, tables: Tables) -> str:
        """Return nothing: the server looks after itself."""
        del tables
        return ""

    def keep_remains(self) -> str:
        """Return nothing: there is no note that could tell of a lost end."""
        return ""

    def relieve(self) -> bool:
        """Have nothing to give up: the disk is the server's."""
        return False

    def take_stock(self, tables: Tables) -> None:
        """Do nothing: all is in the tables."""

    def tidy(self, tables: Tables, first: int, live: int) -> None:
        """Do nothing: the server does by itself."""

    def disconnect(self) -> None:
        """Close the connection, which gives the lock back."""
        from sqlalchemy.exc import DBAPIError

        connection, driver = self._connection, self._driver
        self._connection = self._driver = self._cursor = None
        if connection is None:
            return
        # A broken one may complain, but it is of no use to anybody.
        with suppress(DBAPIError):
            if driver is not None and driver.closed:
                connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Close the connection."""
        self.disconnect()


class PostgresqlStore(SqlStore):
    """Keeps the journal in a PostgreSQL database."""

    name = "postgresql"
    engine = PostgresqlEngine
