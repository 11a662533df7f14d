"""Whether work of several kinds competes: then none of it is handed out far ahead. PURE."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

RIVAL_SECONDS = 1.0
"""For so long one that has no work any more is still reckoned with: it may be about to have some."""


class Rivals:
    """Who had work lately.

    Example:
        >>> rivals = Rivals()
        >>> rivals.saw("bulk", now=0.0)
        >>> rivals.compete(now=0.5)
        False
        >>> rivals.saw("urgent", now=0.5)
        >>> rivals.compete(now=1.0), rivals.compete(now=1.2)
        (True, False)

    """

    __slots__ = ("_another_at", "_last", "_last_at")

    def __init__(self) -> None:
        self._last: Hashable = None
        self._last_at = self._another_at = -inf

    def saw(self, one: Hashable, now: float) -> None:
        """Note that one has work now; `now` is monotonic seconds, and `one` is not None."""
        if one != self._last:
            self._another_at = self._last_at
            self._last = one
        self._last_at = now

    def compete(self, now: float) -> bool:
        """Return whether more than one had work within `RIVAL_SECONDS`."""
        return now <= self._another_at + RIVAL_SECONDS
