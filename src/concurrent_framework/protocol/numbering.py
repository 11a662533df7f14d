"""Numbers of envelopes, by which both ends of a connection notice that one was lost."""

from __future__ import annotations


class Numbering:
    """Counts the envelopes of one connection, each direction on its own.

    Example:
        >>> numbers = Numbering()
        >>> numbers.next(), numbers.next()
        (1, 2)
        >>> numbers.expect_after(7)
        >>> numbers.in_order(8), numbers.in_order(10), numbers.in_order(11)
        (True, False, True)

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

    def in_order(self, number: int) -> bool:
        """Whether this envelope is the next one. Before the first is known, any is."""
        follows = self._received is None or number == self._received + 1
        self._received = number
        return follows
