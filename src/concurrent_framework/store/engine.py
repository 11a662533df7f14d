"""What a store in a database needs of the database: SQLite, PostgreSQL, or another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from concurrent_framework.components import Interface

if TYPE_CHECKING:
    from concurrent_framework.store.places import StorePlaces
    from concurrent_framework.store.tables import Tables
    from concurrent_framework.store.write import Write

Sync = Literal["off", "normal", "full"]
"""Levels of safety, see `IStore`."""


class Trouble(NamedTuple):
    """What an error of the database means.

    Args:
        text: the cause in one line, for people, without passwords.
        kind: ``damaged``: what is stored cannot be read; ``busy``: nothing is taken at present, the
            connection is good; ``lost``: the connection is gone; ``wrong``: anything else.

    """

    text: str
    kind: Literal["damaged", "busy", "lost", "wrong"]


class IDatabaseEngine(Interface):
    """A kind of database in which a journal can be kept.

    `SqlStore` does the same on all of them; an engine has what differs: how to connect, to be alone
    there, to add a row quickly, what errors mean, and where damaged rows go.
    """

    def locate(self, places: StorePlaces) -> str:
        """Learn where the database is, and return that for people, without passwords.

        Raises:
            StoreError: nobody said where; the message says which option to set.

        """

    def signature(self) -> str:
        """Return who has the store open; the tables keep it."""

    def lock(self) -> None:
        """Make sure that no other process has the store, as far as that needs no connection.

        Raises:
            StoreError: another one has.

        """

    def connect(self, sync: Sync) -> Tables:
        """Connect anew, in autocommit mode, alone, and at this level of safety.

        Raises:
            StoreError: another process has the store.
            Exception: whatever the database raises; `trouble` explains it.

        """

    def append(self, write: Write) -> None:
        """Add a row, quickly: in the present transaction, or in one of its own.

        Raises:
            Exception: what the database raises.

        """

    def mark(self, number: int) -> None:
        """Note apart from the database that it has the entries up to this number."""

    def marked(self) -> int:
        """Return the number noted last, 0 if there is no such note."""

    def trouble(self, error: Exception) -> Trouble | None:
        """Say what an exception means, None if it is not the database's."""

    def set_aside(self, tables: Tables | None, first: int, head: int) -> str:
        """Begin anew with the good entries, and leave what is damaged for people to look at.

        Args:
            tables: of the damaged journal, None if they cannot be read at all. Their connection is
                useless afterwards.
            first: number of the first good entry.
            head: number of the last good entry, smaller than `first` if there is none.

        Returns:
            Where the damaged journal is now.

        """

    def inspect(self, tables: Tables) -> str:
        """Look thoroughly for damage, and return what was found; empty if nothing was."""

    def keep_remains(self) -> str:
        """Copy what may hold the lost end of a sound database; return where, empty for nowhere."""

    def relieve(self) -> bool:
        """Make room on a full disk for dropping entries; False if there is nothing to give up."""

    def take_stock(self, tables: Tables) -> None:
        """See what there is beside the tables, which are sound."""

    def tidy(self, tables: Tables, first: int, live: int) -> None:
        """Give back space that is not needed if that is quick.

        Args:
            tables: the tables.
            first: number of the first entry that is needed.
            live: how many bytes are.

        """

    def disconnect(self) -> None:
        """Forget the connection, which may be broken; the lock of `lock` stays."""

    def close(self) -> None:
        """Let go of everything."""
