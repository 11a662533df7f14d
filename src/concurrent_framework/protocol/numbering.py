"""Numbers of envelopes, by which both ends of a connection notice that one was lost."""

from __future__ import annotations

from typing import Literal


class Numbering:
    """Counts the envelopes of one connection, each direction on its own.

    Nothing counts before the first greeting, nor after a gap until the next one: what follows may
    rest on what was lost.

    Example:
        >>> numbers = Numbering()
        >>> numbers.next(), numbers.next()
        (1, 2)
        >>> numbers.greeted(7), numbers.greeted(7)
        (True, False)
        >>> numbers.take(8), numbers.take(8), numbers.take(10), numbers.take(11)
        ('next', 'known', 'gap', 'gap')

    """

    def __init__(self) -> None:
        self._sent = 0
        self._received = 0
        self._broken = True

    def next(self) -> int:
        """Return the number of the next envelope to send."""
        self._sent += 1
        return self._sent

    def await_greeting(self) -> None:
        """Take nothing but a greeting from now on, which may come over a new connection."""
        self._received = 0
        self._broken = True

    def greeted(self, number: int) -> bool:
        """Take an envelope that begins with a greeting; False if it was here before."""
        if number <= self._received:
            return False
        self._received = number
        self._broken = False
        return True

    def take(self, number: int) -> Literal["next", "known", "gap"]:
        """Say what an envelope is: the next one, one that was here before, or one after a gap."""
        if number <= self._received:
            return "known"
        follows = number == self._received + 1
        self._received = number
        self._broken = self._broken or not follows
        return "gap" if self._broken else "next"
