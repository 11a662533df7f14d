"""A journal in a database, the same on all of them; see `IDatabaseEngine` for what differs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, TypeVar

from concurrent_framework.components import Component, implements
from concurrent_framework.config import Option
from concurrent_framework.store.base import (
    Entry,
    IStore,
    StoreError,
    StoreSize,
    StoreUnavailableError,
)
from concurrent_framework.store.migrations import MIGRATIONS
from concurrent_framework.store.places import StorePlaces
from concurrent_framework.store.survey import AT_ONCE, Survey, survey
from concurrent_framework.store.write import Write, write_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from concurrent_framework.store.engine import IDatabaseEngine, Sync
    from concurrent_framework.store.tables import Row, Tables


T = TypeVar("T")


class SqlStore(Component):
    """Keeps a journal in a database by SQLAlchemy Core.

    A subclass says which database. One row is an entry; each `append` is a transaction, and only it
    goes past SQLAlchemy, straight to the driver.

    Args:
        places: where it may put files, and for whom it works.

    """

    abstract = True
    implements(IStore)

    sync: Option[Sync] = Option(
        "store",
        "sync",
        default="normal",
        choices=("off", "normal", "full"),
        doc="What an acknowledged task survives: normal (the death of any process), full (a power "
        "cut as well), off (nothing in particular).",
    )

    engine: ClassVar[type[Component]]
    """The component that implements `IDatabaseEngine` for it."""

    migrations: ClassVar[Mapping[int, Callable[[Connection], None]]] = MIGRATIONS
    """By version of the format: what changes the tables to the next version."""

    def __init__(self, places: StorePlaces | None = None) -> None:
        self._places = places or StorePlaces()
        # Whether the class keeps its promise is checked when it is made.
        self._engine: IDatabaseEngine = self.components[self.engine]  # type: ignore[assignment]
        self._tables: Tables | None = None
        self._first, self._head, self._bytes = 1, 0, 0
        self._is_open = False
        self._lost = False
        self._doubt: Write | None = None
        self._settled: Write | None = None
        self.where = ""

    def open(self) -> tuple[str, ...]:
        """Open or make the tables, alone, and look for damage.

        Raises:
            StoreError: see `IStore.open`.

        """
        engine = self._engine
        self.where = engine.locate(self._places)
        try:
            with self._explaining("cannot be opened"):
                engine.lock()
                return self._open_alone()
        except BaseException:
            self.close()
            raise

    def _open_alone(self) -> tuple[str, ...]:
        engine = self._engine
        found = self._look()
        marked = engine.marked()
        notes: tuple[str, ...] = ()
        if marked > found.head and not found.fault and self._tables is not None:
            found = found._replace(fault=engine.inspect(self._tables))
        if found.fault:
            notes = (self._set_aside(found, marked),)
        elif marked > found.head:
            notes = (self._tell_missing(found, marked),)
        tables = self._ready_tables()
        if tables.facts()["owner"] != engine.signature():
            tables.set_fact("owner", engine.signature())
        self._first, self._head, self._bytes = found.first, found.head, found.bytes
        self._is_open, self._lost = True, False
        engine.take_stock(tables)
        engine.tidy(tables, self._first, self._bytes)
        engine.mark(self._head)
        return notes

    def _look(self) -> Survey:
        """Connect, bring the tables up to date, and read all there is."""
        try:
            tables = self._connect()
            first, fault = self._prepare(tables)
            return survey(tables, first, fault, self._engine.trouble)
        except Exception as error:
            if not (text := self._damage(error)):
                raise
            return Survey(fault=text)

    def _damage(self, error: Exception) -> str:
        """Return what an error says of damage, empty if it does not."""
        trouble = self._engine.trouble(error)
        return trouble.text if trouble is not None and trouble.kind == "damaged" else ""

    def _connect(self) -> Tables:
        self._tables = None
        self._tables = self._engine.connect(self.sync)
        return self._tables

    def _prepare(self, tables: Tables) -> tuple[int | None, str]:
        """Make the tables, or change them to the present format.

        Returns:
            The first entry's number, None if unknown, and what is wrong with what tells it.

        """
        from concurrent_framework.store.tables import ENTRIES, FACTS, FORMAT

        names = tables.names()
        if FACTS.name not in names and ENTRIES.name not in names:
            tables.create(self._engine.signature())
        try:
            facts = tables.facts()
            version, first = int(facts["format"]), int(facts["first"])
        except (KeyError, ValueError):
            return None, "what it says about itself makes no sense"
        except Exception as error:
            if not (text := self._damage(error)):
                raise
            return None, text
        if version > FORMAT:
            message = (
                f"the journal {self.where} has format {version}, of a newer version of Concurrent; "
                f"this one knows formats up to {FORMAT}: install the newer version again, or begin "
                "with an empty journal elsewhere"
            )
            raise StoreError(message)
        for step in range(version, FORMAT):
            if step not in self.migrations:
                message = f"the journal {self.where} has format {step}, which nothing here can read"
                raise StoreError(message)
            with tables.transaction():
                self.migrations[step](tables.connection)
                tables.set_fact("format", step + 1)
        return first, ""

    def _set_aside(self, found: Survey, marked: int) -> str:
        """Keep what is good, and say what was done."""
        engine, tables = self._engine, self._tables
        newest = marked
        if tables is not None:
            try:
                newest = max(tables.newest(), marked)
            except Exception as error:
                if not self._damage(error):
                    raise
        place = engine.set_aside(tables, found.first, found.head)
        self._connect()
        lost = newest - found.head
        number = f"{lost} that followed" if lost > 0 else "what followed, if anything,"
        return (
            f"the journal {self.where} was damaged ({found.fault}): {_entries(found)} kept; "
            f"{number} cannot be used and can be looked at in {place}"
        )

    def _tell_missing(self, found: Survey, marked: int) -> str:
        """Say that the journal ends too early, as after a power cut."""
        remains = self._engine.keep_remains()
        kept = f"; what is left of them can be looked at in {remains}" if remains else ""
        return (
            f"the journal {self.where} has lost its end: {_entries(found)} kept, "
            f"{marked - found.head} that had been added later are missing{kept}"
        )

    def entries(self) -> Iterator[Entry]:
        """Return everything it holds, the oldest first, in bounded memory."""
        after = self._first - 1
        while found := self._read(after, AT_ONCE):
            yield from found
            after = found[-1].number

    def oldest(self, limit: int) -> list[Entry]:
        """Return the oldest entries, up to about so many bytes but at least one if there is one."""
        return self._read(self._first - 1, limit)

    def _read(self, after: int, limit: int) -> list[Entry]:
        with self._explaining("cannot be read"):
            self._make_ready()
            rows = self._ask(lambda tables: tables.read(after, limit))
        return [self._entry(row, number) for number, row in enumerate(rows, after + 1)]

    def _entry(self, row: Row, number: int) -> Entry:
        if row.number != number or row.fault():
            message = (
                f"entry {number} of the journal {self.where} has become unreadable: start the "
                "master again, which keeps what is good and sets the rest aside"
            )
            raise StoreError(message)
        return Entry(row.number, row.data)

    def append(self, data: bytes, *more: bytes) -> None:
        """Add an entry; it is safe when this returns.

        Raises:
            StoreUnavailableError: see `IStore.append`.

        """
        if self._lost or self._doubt is not None or not self._is_open:
            with self._explaining("cannot be written"):
                self._make_ready()
        self._settled = None
        write = write_of(self._head + 1, (data, *more))
        try:
            self._engine.append(write)
        except Exception as error:  # noqa: BLE001 (the engine says what it means)
            self._write_again(write, error)
        self._head = write.number
        self._bytes += write.size
        self._engine.mark(write.number)

    def replace(self, through: int, data: bytes, *more: bytes) -> None:
        """Drop all entries up to a number and add one at the head, both or neither.

        Raises:
            StoreUnavailableError: see `IStore.replace`.

        """
        with self._explaining("cannot be written"):
            self._make_ready()
            through = min(max(through, self._first - 1), self._head)
            pieces = (data, *more) if data else ()
            write = write_of(self._head + 1 if data else self._head, pieces, through)
            dropped = self._ask(lambda tables: tables.measure(self._first - 1, through))[1]
        settled, self._settled = self._settled, None
        if settled is not None and (settled.through, settled.pieces) == (through, pieces):
            return
        try:
            self._perform(write)
        except Exception as error:  # noqa: BLE001
            self._write_again(write, error)
        self._first = through + 1
        self._head = write.number
        self._bytes += write.size - dropped
        self._engine.mark(self._head)
        with self._explaining("cannot be tidied up"):
            self._engine.tidy(self._ready_tables(), self._first, self._bytes)

    def size(self) -> StoreSize:
        """Return how much it holds."""
        return StoreSize(self._head - self._first + 1, self._bytes)

    def close(self) -> None:
        """Let go of the database."""
        self._tables = None
        self._is_open = False
        self._engine.close()

    def _perform(self, write: Write) -> None:
        """Make a change, whole or not at all; raises what the database raises."""
        if write.through is None:
            self._engine.append(write)
            return
        tables = self._ready_tables()
        with tables.transaction():
            tables.drop_through(write.through)
            if write.number > self._head:
                self._engine.append(write)

    def _write_again(self, write: Write, error: Exception) -> None:
        """Make a change after an error once more if that may help, or raise."""
        with self._explaining("cannot be written"):
            if self._is_lost(error):
                self._doubt = write
                self._reconnect()
                if not self._was_made(write):
                    self._perform(write)
                self._doubt = None
            elif (
                self._kind(error) == "busy" and write.through is not None and self._engine.relieve()
            ):
                self._perform(write)
            else:
                raise error

    def _ask(self, question: Callable[[Tables], T]) -> T:
        """Read something, once more if the connection broke."""
        try:
            return question(self._ready_tables())
        except Exception as error:
            if not self._is_lost(error):
                raise
            self._reconnect()
            return question(self._ready_tables())

    def _make_ready(self) -> None:
        """Connect again if necessary, and find out about a change whose answer got lost."""
        if not self._is_open:
            message = f"the journal {self.where} is not open: call open() first"
            raise StoreError(message)
        if self._lost:
            self._reconnect()
        if self._doubt is None:
            return
        write, tables = self._doubt, self._ready_tables()
        if write.through is None:
            tables.drop_after(self._head)
        elif self._was_made(write):
            # What was dropped cannot come back, so the change stands: if the same is asked for
            # again, as it should be, it is there already.
            self._bytes = tables.measure(write.through, write.number)[1]
            self._first, self._head = write.through + 1, write.number
            self._settled = write
        self._doubt = None

    def _was_made(self, write: Write) -> bool:
        tables = self._ready_tables()
        if write.through is not None and int(tables.facts()["first"]) != write.through + 1:
            return False
        return write.number == self._head or tables.newest() == write.number

    def _reconnect(self) -> None:
        """Connect again; another master may have taken the journal over in the meantime."""
        owner = self._connect().facts()["owner"]
        if owner != self._engine.signature():
            message = f"the journal {self.where} was taken over by {owner}: stop this master"
            raise StoreError(message)
        self._lost = False

    def _is_lost(self, error: Exception) -> bool:
        if self._kind(error) == "lost":
            self._lost, self._tables = True, None
        return self._lost

    def _kind(self, error: Exception) -> str:
        trouble = self._engine.trouble(error)
        return "" if trouble is None else trouble.kind

    def _ready_tables(self) -> Tables:
        assert self._tables is not None
        return self._tables

    @contextmanager
    def _explaining(self, what: str) -> Iterator[None]:
        """Turn the database's errors into ours, which name the journal and the cause."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            trouble = self._engine.trouble(error)
            if trouble is None:
                raise
            kind = StoreUnavailableError if trouble.kind in {"busy", "lost"} else StoreError
            message = f"the journal {self.where} {what}: {trouble.text}"
            if trouble.kind == "lost":
                self._lost = True
            elif trouble.kind == "damaged":
                message += (
                    "; start the master again, which keeps what is good and sets the rest aside"
                )
            raise kind(message) from error


def _entries(found: Survey) -> str:
    count = found.head - found.first + 1
    return f"{count} entry was" if count == 1 else f"{count} entries were"
