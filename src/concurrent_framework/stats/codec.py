"""A codec whose work is measured: a value for each envelope, whatever the number of tasks in it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.protocol.codec import Codec
    from concurrent_framework.protocol.detaching import Frames
    from concurrent_framework.stats.registry import Registry


class MeasuredCodec:
    """Encodes and decodes as another one does, and measures how long that takes, and how much.

    Args:
        codec: the other one.
        stats: where it is measured.

    """

    def __init__(self, codec: Codec[Any], stats: Registry) -> None:
        self.encode = codec.encode
        self.decode = codec.decode
        if not stats.enabled:
            return
        self._codec = codec
        self._encoding = stats.histogram("codec.encode_seconds", "Time to encode an envelope.")
        self._decoding = stats.histogram("codec.decode_seconds", "Time to decode an envelope.")
        self._sent = stats.histogram("transport.sent_bytes", "Size of envelopes sent.")
        self._received = stats.histogram("transport.received_bytes", "Size of envelopes received.")
        self.encode = self._encode
        self.decode = self._decode

    def _encode(self, messages: Sequence[Any], number: int) -> Frames:
        start = perf_counter()
        frames = self._codec.encode(messages, number)
        self._encoding.record(perf_counter() - start)
        self._sent.record(_size(frames))
        return frames

    def _decode(self, frames: Frames) -> tuple[int, list[Any]]:
        start = perf_counter()
        found = self._codec.decode(frames)
        self._decoding.record(perf_counter() - start)
        self._received.record(_size(frames))
        return found


def _size(frames: Frames) -> int:
    return len(frames[0]) if len(frames) == 1 else sum(map(len, frames))
