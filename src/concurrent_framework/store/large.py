"""Which file beside the database holds which large entry, and when it can be written again.

SQLite takes 12 ms for a mebibyte, a file that was there before 0.1 ms. So files are used again as soon as
their entry is gone. After a power cut, however, the database may be as it was when it was last made to
wait for the disk, or at any moment since, while a file may be as new as it ever was. Therefore

- files are flushed before a checkpoint makes their entries durable,
- and a file whose entry may be durable is not touched until it is durable, too, that the entry is gone.

An entry that came and went since is nothing that a power cut must spare: if it is found again without its
file, the journal ends there, as it may end anywhere since.
"""

from __future__ import annotations

import time
from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from concurrent_framework.store.engine import Sync
    from concurrent_framework.store.slots import SlotFiles

_LARGE = {"off": 32 * 1024, "normal": 32 * 1024, "full": 256 * 1024}
"""Bytes from which on an entry has a file of its own: that is quicker then, also where it is flushed."""

_SPARE = 64 * 1024 * 1024
"""Bytes of files that are kept to be written again."""

_WAITING = 64 * 1024 * 1024
"""Bytes of files that may wait for a checkpoint."""

_RECENT = 5.0
"""Seconds of work that a power cut may cost."""

_MISFIT = 4
"""A file so many times as long as its entry is cut."""


class _Slot(NamedTuple):
    """A file: its number, its length, and the entry that it holds or held."""

    number: int
    size: int
    entry: int = 0


class LargeEntries:
    """Gives files to large entries.

    Args:
        files: the files.
        sync: the level of safety.
        clock: tells seconds.

    Attributes:
        limit: bytes from which on an entry is large.
        waiting: files that may be used again after a checkpoint.

    """

    def __init__(
        self, files: SlotFiles, sync: Sync, clock: Callable[[], float] | None = None
    ) -> None:
        self._files = files
        self._sync = sync
        self.limit = _LARGE[sync]
        self._clock = clock or time.monotonic
        self._held: deque[_Slot] = deque()
        self._spare: deque[_Slot] = deque()
        self.waiting: list[_Slot] = []
        self._spare_bytes = self._waiting_bytes = 0
        self._next = 1
        self._in_use = False
        self._newest = self._flushed = self._durable = 0
        self._durable_at = self._clock()

    def read(self, slot: int, size: int) -> bytes:
        """Return what a file holds; too little if it is damaged."""
        return self._files.read(slot, size)

    def take_stock(self, entries: Iterable[tuple[int, int]]) -> bool:
        """Learn which entries have which files; return whether there are any files."""
        size = self._files.size
        self._held = deque(_Slot(slot, size(slot), entry) for entry, slot in entries)
        held = {slot.number for slot in self._held}
        present = self._files.numbers()
        self.waiting = [_Slot(slot, size(slot)) for slot in present if slot not in held]
        self._waiting_bytes = sum(slot.size for slot in self.waiting)
        self._next = 1 + max(present, default=0)
        self._newest = self._held[-1].entry if self._held else 0
        return bool(present)

    def write(self, entry: int, size: int, pieces: Iterable[bytes]) -> int:
        """Write a new entry into a file, and return the file's number.

        Raises:
            OSError: it cannot be written.

        """
        while self._held and self._held[-1].entry >= entry:
            self._give_back(self._held.pop())  # the database has not taken that one
        slot = self._free_slot()
        misfit = slot.size > _MISFIT * size
        try:
            self._files.write(slot.number, pieces, anew=misfit or not slot.size)
            if self._sync == "full":
                self._files.flush([slot.number])
        except OSError:
            self._files.remove(slot.number)
            raise
        length = size if misfit else max(size, slot.size)
        self._held.append(_Slot(slot.number, length, entry))
        self._newest = entry
        self._in_use = True
        return slot.number

    def _free_slot(self) -> _Slot:
        if self._spare and not self._files.are_copied():
            slot = self._spare.pop()
            self._spare_bytes -= slot.size
            return slot
        self._next += 1
        return _Slot(self._next - 1, 0)

    def dropped(self, through: int) -> None:
        """Use the files of entries up to this one again, as soon as that is safe."""
        held = self._held
        if not held or held[0].entry > through:
            return
        recent = self._clock() - self._durable_at < _RECENT
        while held and held[0].entry <= through:
            slot = held.popleft()
            if self._sync == "normal" and (slot.entry <= self._durable or not recent):
                self.waiting.append(slot)
                self._waiting_bytes += slot.size
            else:
                self._give_back(slot)
        self._trim(_SPARE)

    def flush(self) -> None:
        """Before a checkpoint: wait until the files of all that there is are on the disk."""
        if self._sync != "off" and self._held:
            flushed = self._flushed
            newer = takewhile(lambda slot: slot.entry > flushed, reversed(self._held))
            self._files.flush([slot.number for slot in newer])
            self._flushed = self._held[-1].entry

    def made_durable(self) -> None:
        """After a checkpoint: take note that what is in the database is there for good, or gone."""
        self._durable, self._durable_at = self._newest, self._clock()
        for slot in self.waiting:
            self._give_back(slot)
        self.waiting.clear()
        self._waiting_bytes = 0
        self._trim(_SPARE if self._in_use else 0)
        self._in_use = False

    def wants_checkpoint(self) -> bool:
        """Whether so much waits for a checkpoint, or for so long, that there should be one."""
        late = self._clock() - self._durable_at >= _RECENT
        return bool(self.waiting) and (late or self._waiting_bytes > _WAITING)

    def give_up_spare(self) -> None:
        """Remove the files that hold nothing."""
        self._trim(0)

    def _give_back(self, slot: _Slot) -> None:
        self._spare.append(slot)
        self._spare_bytes += slot.size

    def _trim(self, limit: int) -> None:
        if self._spare_bytes <= limit or self._files.are_copied():
            return
        while self._spare and self._spare_bytes > limit:
            slot = self._spare.popleft()
            self._spare_bytes -= slot.size
            self._files.remove(slot.number)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()
