"""A disk for the simulated master's journal: it survives a crash, and the crash may come at any point."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from concurrent_framework.master.compaction import SPARE_BYTES, STEP_BYTES
from concurrent_framework.store.memory import MemoryContents, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable


class CrashedError(Exception):
    """The simulated master died at this point."""


class SimDisk:
    """What a master writes, and the points at which it may die: before and after each thing it does.

    `full` makes every write fail until it is False again, `slow` is how many seconds each takes.

    Args:
        spare: bytes up to which the journal is short enough.
        step: bytes of it that are looked at in one round.

    Attributes:
        happened: how often what went wrong.
        wait: lets time pass for a master that waits for its disk.

    """

    def __init__(self, spare: int = SPARE_BYTES, step: int = STEP_BYTES) -> None:
        self.spare = spare
        self.step = step
        self.contents = MemoryContents()
        self.full = False
        self.slow = 0.0
        self.countdown = 0
        self.happened: Counter[str] = Counter()
        self.wait: Callable[[float], None] = lambda _seconds: None

    def crash_in(self, points: int) -> None:
        """Let the master die at the so-manieth point from now on, from 1."""
        self.countdown = points

    def point(self, where: str = "in the middle of a round") -> None:
        """Die here, if it is time."""
        if self.countdown:
            self.countdown -= 1
            if not self.countdown:
                self.happened[f"master killed {where}"] += 1
                raise CrashedError

    def begin_write(self) -> None:
        """Be as full, as slow and as deadly as it is at present."""
        self.point("before it has written")
        self.contents.failures = int(self.full)
        self.happened["disk full"] += self.full
        if self.slow:
            self.happened["disk slow"] += 1
            self.wait(self.slow)

    def store(self) -> SimStore:
        """Return a store on this disk."""
        self.countdown = 0
        return SimStore(self)


class SimStore(MemoryStore):
    """A store in memory that crashes and is full when its disk says so."""

    def __init__(self, disk: SimDisk) -> None:
        super().__init__(contents=disk.contents)
        self._disk = disk

    def append(self, data: bytes, *more: bytes) -> None:
        """Add an entry."""
        self._disk.begin_write()
        super().append(data, *more)
        self._disk.point("when it had written")

    def replace(self, through: int, data: bytes, *more: bytes) -> None:
        """Drop the oldest entries and add one."""
        self._disk.begin_write()
        super().replace(through, data, *more)
        self._disk.point("when it had written")
