"""Counters and histograms: cheap to record into, by one thread; to be read from any.

What is recorded is only put aside; it is summed up a few hundred values at a time, by functions
that run in C. So recording one value takes about a tenth of a microsecond.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLD = 256
"""Values that are put aside at most before they are summed up."""
WINDOW = 2048
"""Newest values from which percentiles are taken."""
HORIZON = 10.0
"""Seconds over which a rate is taken, if somebody looked in that time."""
LOOK = 1.0
"""Seconds between two looks that count."""


class Rate:
    """How fast a count grows, from the looks at it; belongs to whoever looks."""

    def __init__(self, now: float) -> None:
        self._looks: deque[tuple[float, int]] = deque([(now, 0)])

    def at(self, now: float, count: int) -> float:
        """Look at the count, and return its growth per second lately."""
        looks = self._looks
        while len(looks) > 1 and looks[1][0] <= now - HORIZON:
            looks.popleft()
        then, before = looks[0]
        if now - looks[-1][0] >= LOOK:
            looks.append((now, count))
        return (count - before) / (now - then) if now > then else 0.0


class Counter:
    """Counts things.

    Example:
        >>> counter = Counter()
        >>> counter.add(3)
        >>> counter.count
        3

    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def add(self, number: int) -> None:
        """Count so many more."""
        self.count += number


class _Sums(NamedTuple):
    number: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0

    def with_more(self, values: Sequence[float]) -> _Sums:
        if not values:
            return self
        least, most = min(values), max(values)
        if self.number:
            least, most = min(least, self.least), max(most, self.most)
        return _Sums(self.number + len(values), self.total + sum(values), least, most)


class Histogram:
    """Measures things: count, sum, least and most of all, percentiles of the newest.

    Example:
        >>> histogram = Histogram()
        >>> for value in (1.0, 2.0, 3.0):
        ...     histogram.record(value)
        >>> histogram.describe()["mean"], histogram.describe()["p50"]
        (2.0, 2.0)

    """

    __slots__ = ("_aside", "_known", "_recent")

    def __init__(self) -> None:
        self._aside: list[float] = []
        self._recent: deque[float] = deque(maxlen=WINDOW)
        # Replaced as a whole, so that another thread sees sums that fit what was put aside.
        self._known: tuple[_Sums, list[float]] = (_Sums(), self._aside)

    def record(self, value: float) -> None:
        """Take in a value."""
        aside = self._aside
        aside.append(value)
        if len(aside) >= FOLD:
            self._fold()

    def record_all(self, values: Sequence[float]) -> None:
        """Take in the values of a batch."""
        aside = self._aside
        aside.extend(values)
        if len(aside) >= FOLD:
            self._fold()

    @property
    def count(self) -> int:
        """How many values there were."""
        sums, aside = self._known
        return sums.number + len(aside)

    def describe(self) -> dict[str, Any]:
        """Return count, total, min, max, mean and percentiles."""
        sums, aside = self._known
        fresh = aside[:]
        sums = sums.with_more(fresh)
        newest = sorted([*self._recent.copy(), *fresh][-WINDOW:])
        return {
            "count": sums.number,
            "total": sums.total,
            "min": sums.least,
            "max": sums.most,
            "mean": sums.total / sums.number if sums.number else 0.0,
            **{f"p{percent}": _percentile(newest, percent) for percent in (50, 95, 99)},
        }

    def _fold(self) -> None:
        aside = self._aside
        sums = self._known[0].with_more(aside)
        self._recent.extend(aside)
        self._aside = []
        self._known = (sums, self._aside)


def _percentile(ordered: list[float], percent: int) -> float:
    """Return the smallest value that is not below so many percent of all (nearest rank)."""
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, rank - 1)]
