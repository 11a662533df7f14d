"""A journal in memory: for tests and simulations, and for masters that need not survive.

What it holds ends with its process. A test keeps the contents and opens another store on them, as a
master does that was started again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from concurrent_framework.components import Component, implements
from concurrent_framework.store.base import (
    Entry,
    IStore,
    StoreError,
    StoreSize,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.store.places import StorePlaces


class MemoryContents:
    """What outlives a store in memory, as a disk outlives a process.

    Attributes:
        entries: the journal, the oldest first.
        head: number of the newest entry there ever was.
        bytes: size of all data.
        failures: so many of the next writes fail.
        writer: the store that was opened last; no other may write.

    """

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.head = 0
        self.bytes = 0
        self.failures = 0
        self.writer: object = None

    def fail(self, times: int = 1) -> None:
        """Let the next writes fail, as on a full disk; with 0 they succeed again."""
        self.failures = times


class MemoryStore(Component):
    """Keeps a journal in memory.

    Args:
        places: not needed.
        contents: what another store left, to go on from there; None to begin with nothing.

    Example:
        >>> store = MemoryStore()
        >>> store.open()
        ()
        >>> store.append(b"first")
        >>> after_a_crash = MemoryStore(contents=store.contents)
        >>> after_a_crash.open()
        ()
        >>> list(after_a_crash.entries())
        [Entry(number=1, data=b'first')]

    """

    implements(IStore)
    name = "memory"

    def __init__(
        self, places: StorePlaces | None = None, *, contents: MemoryContents | None = None
    ) -> None:
        del places
        self.contents = MemoryContents() if contents is None else contents

    def open(self) -> tuple[str, ...]:
        """Take the contents over; a store that had them before can no longer use them."""
        self.contents.writer = self
        return ()

    def entries(self) -> Iterator[Entry]:
        """Return everything it holds, the oldest first."""
        self._demand_open()
        return iter(tuple(self.contents.entries))

    def append(self, data: bytes, *more: bytes) -> None:
        """Add an entry."""
        self._demand_success()
        self._add(b"".join((data, *more)))

    def oldest(self, limit: int) -> list[Entry]:
        """Return the oldest entries, up to about so many bytes but at least one if there is one."""
        self._demand_open()
        found: list[Entry] = []
        for entry in self.contents.entries:
            limit -= len(entry.data)
            if found and limit < 0:
                break
            found.append(entry)
        return found

    def replace(self, through: int, data: bytes, *more: bytes) -> None:
        """Drop all entries up to a number and, unless it is empty, add one at the head."""
        self._demand_success()
        held = self.contents
        while held.entries and held.entries[0].number <= through:
            held.bytes -= len(held.entries.popleft().data)
        if data:
            self._add(b"".join((data, *more)))

    def size(self) -> StoreSize:
        """Return how much it holds."""
        return StoreSize(len(self.contents.entries), self.contents.bytes)

    def close(self) -> None:
        """Let go of the contents."""
        if self.contents.writer is self:
            self.contents.writer = None

    def _add(self, data: bytes) -> None:
        held = self.contents
        held.head += 1
        held.bytes += len(data)
        held.entries.append(Entry(held.head, data))

    def _demand_open(self) -> None:
        if self.contents.writer is not self:
            message = "the journal in memory is not open here: call open(), or another store did"
            raise StoreError(message)

    def _demand_success(self) -> None:
        self._demand_open()
        if self.contents.failures:
            self.contents.failures -= 1
            message = "the journal in memory takes nothing at present: it was told to fail"
            raise StoreUnavailableError(message)
