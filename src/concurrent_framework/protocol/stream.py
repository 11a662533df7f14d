"""Envelopes on a byte stream: how many frames, the length of each, then the frames. PURE."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from concurrent_framework.protocol.codec import MAX_FRAMES, MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.protocol.detaching import Frames

MAX_FRAME_BYTES = 1 << 40
_BUFFER = 256 * 1024
_COPIED = 64 * 1024
"""A frame larger than this is received into a buffer of its own, without copying."""

_COUNT = struct.Struct("<I")
_ONE = struct.Struct("<IQ")


def pack(frames: Sequence[Any]) -> list[Any]:
    """Return the buffers to write, in order, for one envelope."""
    if len(frames) == 1:
        head = _ONE.pack(1, len(frames[0]))
        return [head + frames[0]] if len(frames[0]) <= _COPIED else [head, frames[0]]
    head = struct.pack(f"<I{len(frames)}Q", len(frames), *map(len, frames))
    return [head, *frames]


class Assembler:
    """Puts envelopes together again: receive into `space()`, then say how much with `received`.

    Example:
        >>> assembler = Assembler()
        >>> data = b"".join(pack([b"first", b"second"]))
        >>> assembler.space()[: len(data)] = data
        >>> assembler.received(len(data))
        [[b'first', b'second']]

    """

    def __init__(self) -> None:
        self._view = memoryview(bytearray(_BUFFER))
        self._start = 0
        self._end = 0
        self._lengths: tuple[int, ...] = ()
        self._frames: list[Any] = []
        self._large: bytearray | None = None
        self._filled = 0

    def space(self) -> memoryview:
        """Return where the next bytes belong; it is never empty."""
        if self._large is not None:
            return memoryview(self._large)[self._filled :]
        return self._view[self._end :]

    @property
    def amid_frame(self) -> bool:
        """Whether a large frame has not come to its end."""
        return self._large is not None

    def received(self, count: int) -> list[Frames]:
        """Note that `count` bytes came into `space()`; return the envelopes that are complete.

        Raises:
            MalformedError: if this is no stream of envelopes; it cannot be read any further.

        """
        if self._large is None:
            self._end += count
        else:
            self._filled += count
            if self._filled < len(self._large):
                return []
            self._frames.append(self._large)
            self._large = None
        envelopes: list[Frames] = []
        while True:
            if self._lengths and len(self._frames) == len(self._lengths):
                envelopes.append(self._frames)
                self._frames, self._lengths = [], ()
            if not (self._take_frame() if self._lengths else self._take_head()):
                break
        self._make_room()
        return envelopes

    def _take_frame(self) -> bool:
        """Take a frame off the buffer; False if it needs more bytes."""
        length = self._lengths[len(self._frames)]
        available = self._end - self._start
        if length > _COPIED and available < length:
            self._large = bytearray(length)
            self._large[:available] = self._view[self._start : self._end]
            self._filled = available
            self._start = self._end
            return False
        if available < length:
            return False
        self._frames.append(bytes(self._view[self._start : self._start + length]))
        self._start += length
        return True

    def _take_head(self) -> bool:
        """Take the head of an envelope off the buffer; False if it needs more bytes."""
        available = self._end - self._start
        if available < _COUNT.size:
            return False
        (count,) = _COUNT.unpack_from(self._view, self._start)
        if not 1 <= count <= MAX_FRAMES:
            reason = f"an envelope of {count} frames"
            raise MalformedError(reason)
        size = _COUNT.size + 8 * count
        if available < size:
            return False
        lengths = struct.unpack_from(f"<{count}Q", self._view, self._start + _COUNT.size)
        if max(lengths) > MAX_FRAME_BYTES:
            reason = f"a frame of {max(lengths)} bytes"
            raise MalformedError(reason)
        self._start += size
        self._lengths = lengths
        return True
        return True

    def _make_room(self) -> None:
        if self._start == self._end:
            self._start = self._end = 0
        elif len(self._view) - self._end < _COPIED:
            rest = self._end - self._start
            self._view[:rest] = bytes(self._view[self._start : self._end])
            self._start, self._end = 0, rest
