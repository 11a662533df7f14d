"""Whether work of several kinds competes: then none of it is handed out far ahead. PURE."""

from __future__ import annotations

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

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[Hashable, float] = {}

    def saw(self, one: Hashable, now: float) -> None:
        """Note that one has work now; `now` is monotonic seconds."""
        self._seen[one] = now

    def compete(self, now: float) -> bool:
        """Return whether more than one had work within `RIVAL_SECONDS`."""
        seen = self._seen
        if len(seen) > 1:
            gone = [one for one, last in seen.items() if now > last + RIVAL_SECONDS]
            for one in gone:
                del seen[one]
        return len(seen) > 1
