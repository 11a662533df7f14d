"""A clock that moves only when it is told to, and what is to happen when."""

from __future__ import annotations

import heapq
from math import inf, nextafter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeClock:
    """Runs actions in the order of their times; nothing ever waits.

    Example:
        >>> clock = FakeClock()
        >>> clock.at(2.0, lambda: print("later"))
        >>> clock.at(1.0, lambda: print("sooner"))
        >>> clock.run_until(3.0)
        sooner
        later
        >>> clock.now
        3.0

    """

    def __init__(self) -> None:
        self.now = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Do something at a time, in seconds, or now if that is past."""
        self._count += 1
        heapq.heappush(self._agenda, (max(time, self.now), self._count, action))

    def at_skewed(self, time: float, skew: float, action: Callable[[], None]) -> None:
        """Do something when a clock that is ahead by `skew` seconds shows a time, to the last bit."""
        mine = time - skew
        while mine + skew < time:
            mine = nextafter(mine, inf)
        self.at(mine, action)

    def step(self) -> bool:
        """Do the next thing; False if there is none."""
        if not self._agenda:
            return False
        time, _, action = heapq.heappop(self._agenda)
        self.now = time
        action()
        return True

    def run_until(self, time: float) -> None:
        """Do everything that is due up to a time."""
        while self._agenda and self._agenda[0][0] <= time:
            self.step()
        self.now = max(self.now, time)

    def next_time(self) -> float | None:
        """Return when the next thing is due; None if there is none."""
        return self._agenda[0][0] if self._agenda else None
