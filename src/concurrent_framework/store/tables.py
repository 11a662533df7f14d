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
    from collections.abc import Iterator

    from sqlalchemy import Connection

FORMAT = 1
"""Version of the tables. Who changes them counts on, and adds a migration to `sql.py`."""

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
)
FACTS = Table(
    "concurrent_facts",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

_SIZES_AT_ONCE = 500


@event.listens_for(ENTRIES, "after_create")
def _store_plainly(_table: Table, connection: Connection, **_options: object) -> None:
    """Spare PostgreSQL the attempt to compress what mostly is not worth it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"ALTER TABLE {ENTRIES.name} ALTER COLUMN data SET STORAGE EXTERNAL"
        )


class Row(NamedTuple):
    """An entry as it is stored."""

    number: int
    crc32: int
    data: bytes

    def is_whole(self) -> bool:
        """Whether the data is what was stored once."""
        data: object = self.data  # a damaged row may have anything there
        return isinstance(data, bytes) and zlib.crc32(data) == self.crc32


class Tables:
    """A journal's tables over one connection, which is in autocommit mode.

    Args:
        connection: where they are.

    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

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
            select(ENTRIES.c.number, func.length(ENTRIES.c.data))
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
            select(ENTRIES.c.number, ENTRIES.c.crc32, ENTRIES.c.data)
            .where(ENTRIES.c.number > after, ENTRIES.c.number <= last)
            .order_by(ENTRIES.c.number)
        )
        return [Row(*row) for row in self.connection.execute(rows)]

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
        found = select(func.count(), func.coalesce(func.sum(func.length(ENTRIES.c.data)), 0)).where(
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
        """Add a row."""
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
