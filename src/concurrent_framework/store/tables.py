"""The tables of a journal in a database, and what is asked of them."""

from __future__ import annotations

import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

FORMAT = 2
"""Version of the tables. Who changes them counts on, and adds a migration to `migrations.py`.

Version 1 had no entries whose data is in files.
"""

SCHEMA = MetaData()
ENTRIES = Table(
    "concurrent_entries",
    SCHEMA,
    # In SQLite only a column called INTEGER is the table's own order.
    Column(
        "number",
        BigInteger().with_variant(Integer(), "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("crc32", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    # Of an entry whose data is in a file: which, and how much.
    Column("file", BigInteger),
    Column("size", BigInteger),
)
FACTS = Table(
    "concurrent_facts",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

_SIZE = func.coalesce(ENTRIES.c.size, func.length(ENTRIES.c.data))
_SIZES_AT_ONCE = 500


@event.listens_for(ENTRIES, "after_create")
def _store_plainly(_table: Table, connection: Connection, **_options: object) -> None:
    """Spare PostgreSQL the attempt to compress what mostly is not worth it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"ALTER TABLE {ENTRIES.name} ALTER COLUMN data SET STORAGE EXTERNAL"
        )


class Row(NamedTuple):
    """An entry as it is stored, with its data from wherever that is.

    Args:
        number: its number.
        crc32: of the data.
        data: what there is of it.
        file: number of the file beside the database that has it, if one has.
        size: how much is in that file.

    """

    number: int
    crc32: int
    data: bytes
    file: int | None = None
    size: int | None = None

    def fault(self) -> str:
        """Return in what way the data is not what was stored once; empty if it is."""
        data: object = self.data  # a damaged row may have anything there
        if self.size is not None and isinstance(data, bytes) and len(data) < self.size:
            return f"has lost its file {self.file}, or a part of it"
        if isinstance(data, bytes) and zlib.crc32(data) == self.crc32:
            return ""
        return "has the wrong checksum"


class Tables:
    """A journal's tables over one connection, which is in autocommit mode.

    Args:
        connection: where they are.
        read_file: returns so many bytes of a numbered file beside the database, or fewer if there are
            no more; None if there are no such files.

    """

    def __init__(
        self, connection: Connection, read_file: Callable[[int, int], bytes] | None = None
    ) -> None:
        self.connection = connection
        self._read_file = read_file

    def names(self) -> list[str]:
        """Return the names of all tables there are."""
        return inspect(self.connection).get_table_names()

    def create(self, owner: str, first: int = 1) -> None:
        """Make the tables of an empty journal whose first entry will have this number."""
        with self.transaction():
            SCHEMA.create_all(self.connection)
            facts = {"format": FORMAT, "first": first, "owner": owner}
            rows = [{"name": name, "value": str(value)} for name, value in facts.items()]
            self.connection.execute(insert(FACTS), rows)

    def facts(self) -> dict[str, str]:
        """Return what is known of the journal as a whole, by name."""
        found = self.connection.execute(select(FACTS.c.name, FACTS.c.value))
        return {row.name: row.value for row in found}

    def set_fact(self, name: str, value: object) -> None:
        """Change what is known."""
        change = update(FACTS).where(FACTS.c.name == name).values(value=str(value))
        self.connection.execute(change)

    def read(self, after: int, limit: int) -> list[Row]:
        """Return the rows that follow a number, about `limit` bytes but at least one."""
        sizes = (
            select(ENTRIES.c.number, _SIZE)
            .where(ENTRIES.c.number > after)
            .order_by(ENTRIES.c.number)
            .limit(_SIZES_AT_ONCE if limit else 1)
        )
        last = after
        for number, size in self.connection.execute(sizes):
            limit -= size or 0
            if last > after and limit < 0:
                break
            last = number
        if last == after:
            return []
        rows = (
            select(ENTRIES)
            .where(ENTRIES.c.number > after, ENTRIES.c.number <= last)
            .order_by(ENTRIES.c.number)
        )
        return [self._whole(Row(*row)) for row in self.connection.execute(rows)]

    def _whole(self, row: Row) -> Row:
        """Return a row with its data."""
        if self._read_file is None or row.file is None or row.size is None:
            return row
        return row._replace(data=self._read_file(row.file, row.size))

    def files(self) -> list[tuple[int, int]]:
        """Return which entries are in which files, the oldest first."""
        found = select(ENTRIES.c.number, ENTRIES.c.file).where(ENTRIES.c.file.is_not(None))
        rows = self.connection.execute(found.order_by(ENTRIES.c.number))
        return [(number, file) for number, file in rows]

    def read_all(self, after: int, through: int, limit: int) -> Iterator[Row]:
        """Yield rows up to a number, with about `limit` bytes in memory.

        What comes after them may be damaged.
        """
        while after < through:
            try:
                rows = self.read(after, limit)
            except DBAPIError:
                if not limit:
                    raise
                limit = 0  # one by one, so that nothing beyond the last is touched
                continue
            yield from (row for row in rows if row.number <= through)
            after = rows[-1].number

    def measure(self, after: int, through: int) -> tuple[int, int]:
        """Return how many rows there are between two numbers, and the bytes of their data."""
        found = select(func.count(), func.coalesce(func.sum(_SIZE), 0)).where(
            ENTRIES.c.number > after, ENTRIES.c.number <= through
        )
        count, size = self.connection.execute(found).one()
        return int(count), int(size)

    def newest(self) -> int:
        """Return the greatest number, 0 if there is no row."""
        return int(self.connection.execute(select(func.max(ENTRIES.c.number))).scalar() or 0)

    def lowest(self) -> int:
        """Return the smallest number, 0 if there is no row."""
        return int(self.connection.execute(select(func.min(ENTRIES.c.number))).scalar() or 0)

    def add(self, row: Row) -> None:
        """Add a row, with its data in it."""
        self.connection.execute(
            insert(ENTRIES), {"number": row.number, "crc32": row.crc32, "data": row.data}
        )

    def drop_through(self, number: int) -> None:
        """Drop the rows up to a number, and remember that the journal begins after it."""
        self.connection.execute(delete(ENTRIES).where(ENTRIES.c.number <= number))
        self.set_fact("first", number + 1)

    def drop_after(self, number: int) -> None:
        """Drop the rows above a number."""
        self.connection.execute(delete(ENTRIES).where(ENTRIES.c.number > number))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of this or nothing."""
        self.connection.exec_driver_sql("BEGIN")
        try:
            yield
            self.connection.exec_driver_sql("COMMIT")
        except BaseException:
            # SQLite has rolled back already after some errors, and a lost server has by itself.
            with suppress(DBAPIError):
                self.connection.exec_driver_sql("ROLLBACK")
            raise
