"""What a master needs of whatever keeps its journal: memory, SQLite, PostgreSQL.

A journal is a list of entries, opaque bytes numbered from 1 without gaps. It grows at its head, one
entry for each round of the master, and shrinks at its tail when that has been copied forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.components import Interface
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreError(ConcurrentError):
    """The store cannot do what it was asked; the message says which store, why, and what to do."""


class StoreUnavailableError(StoreError):
    """It cannot take anything at present (full disk, lost database) and may do so again later."""


class Entry(NamedTuple):
    """One entry of a journal."""

    number: int
    data: bytes


class StoreSize(NamedTuple):
    """How much a store holds."""

    entries: int
    bytes: int


class IStore(Interface):
    """Keeps the journal of one master.

    Its methods are called by one thread, and `open` first. What `append` and `replace` have
    returned from survives what the configured level of safety says: ``off`` nothing in particular,
    ``normal`` the death of the process, ``full`` a power cut.
    """

    def open(self) -> tuple[str, ...]:
        """Open or make the store, alone; return what was found wrong and repaired, for people.

        After damage the journal ends with its last good entry; what came after it is kept aside.

        Raises:
            StoreError: it cannot be opened: no permission, in use, of a newer version, no server.

        """

    def entries(self) -> Iterator[Entry]:
        """Return everything it holds, the oldest first, in bounded memory."""

    def append(self, data: bytes, *more: bytes) -> None:
        """Add an entry; it is safe when this returns.

        Args:
            data: the entry.
            more: what belongs to it behind that, in pieces, so that nobody has to copy large ones.

        Raises:
            StoreUnavailableError: nothing was added; the same call may succeed later.

        """

    def oldest(self, limit: int) -> list[Entry]:
        """Return the oldest entries, up to about so many bytes but at least one if there is one."""

    def replace(self, through: int, data: bytes, *more: bytes) -> None:
        """Drop all entries up to a number and add one at the head, both or neither.

        Args:
            through: number of the last entry to drop.
            data: the entry to add; with empty data none is added.
            more: what belongs to it behind that.

        Raises:
            StoreUnavailableError: nothing was changed; the same call may succeed later.

        """

    def size(self) -> StoreSize:
        """Return how much it holds, cheaply."""

    def close(self) -> None:
        """Let go of it; what is in it stays."""
