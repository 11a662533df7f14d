"""A change of a journal."""

from __future__ import annotations

import zlib
from typing import NamedTuple


class Write(NamedTuple):
    """A change, which may have been made although the connection broke before the answer came.

    Args:
        number: of the newest entry after it.
        crc: of the entry to add.
        size: of that, in bytes.
        pieces: that, not put together; none to add nothing.
        through: number of the last entry to drop; None to drop nothing.

    """

    number: int
    crc: int
    size: int
    pieces: tuple[bytes, ...]
    through: int | None = None

    def data(self) -> bytes:
        """Return the entry to add, put together."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


def write_of(number: int, pieces: tuple[bytes, ...], through: int | None = None) -> Write:
    """Return a change, with the checksum of what it adds."""
    if len(pieces) == 1:
        data = pieces[0]
        return Write(number, zlib.crc32(data), len(data), pieces, through)
    crc = size = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        size += len(piece)
    return Write(number, crc, size, pieces, through)
