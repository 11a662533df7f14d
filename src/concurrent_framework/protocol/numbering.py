"""Numbers of envelopes, by which both ends of a connection notice that one was lost."""

from __future__ import annotations

from typing import Literal


class Numbering:
    """Counts the envelopes of one connection, each direction on its own.

    After a gap nothing counts any more until the next greeting: what follows may rest on what was
    lost.

    Example:
        >>> numbers = Numbering()
        >>> numbers.next(), numbers.next()
        (1, 2)
        >>> numbers.expect_after(7)
        >>> numbers.take(8), numbers.take(8), numbers.take(10), numbers.take(11)
        ('next', 'known', 'gap', 'gap')

    """

    def __init__(self) -> None:
        self._sent = 0
        self._received: int | None = None

    def next(self) -> int:
        """Return the number of the next envelope to send."""
        self._sent += 1
        return self._sent

    def restart(self) -> None:
        """Begin anew, as with a greeting."""
        self._sent = 0
        self._received = None

    def expect_after(self, number: int) -> None:
        """Take this envelope as received, whatever came before."""
        self._received = number

    def take(self, number: int) -> Literal["next", "known", "gap"]:
        """Say what an envelope is: the next one, one that was here before, or one after a gap."""
        if self._received is None:
            return "gap"
        if number == self._received + 1:
            self._received = number
            return "next"
        if number <= self._received:
            return "known"
        self._received = None
        return "gap"
