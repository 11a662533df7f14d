"""Envelopes survive any way in which a stream may cut them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent_framework.protocol.codec import MalformedError
from concurrent_framework.protocol.stream import Assembler, pack

sizes = st.one_of(st.integers(0, 200), st.sampled_from([65535, 65536, 65537, 300_000]))


def feed(assembler: Assembler, data: bytes, step: int) -> list[list[bytes]]:
    found: list[list[bytes]] = []
    view = memoryview(data)
    while view:
        space = assembler.space()
        count = min(len(space), len(view), step)
        assert count
        space[:count] = view[:count]
        view = view[count:]
        found += assembler.received(count)
    return found


@given(
    st.lists(st.lists(sizes, min_size=1, max_size=4), max_size=8),
    st.integers(1, 100_000),
)
def test_envelopes_come_out_as_they_went_in(envelopes: list[list[int]], step: int) -> None:
    sent = [[bytes([i % 251]) * size for i, size in enumerate(frames, 1)] for frames in envelopes]
    if sum(map(sum, envelopes)) // step > 10_000:
        step = 997
    data = b"".join(bytes(part) for frames in sent for part in pack(frames))
    assert feed(Assembler(), data, step) == sent


def test_many_small_envelopes_in_one_go() -> None:
    data = b"".join(pack([b"x" * 50])[0] for _ in range(20_000))
    assert len(feed(Assembler(), data, 1 << 20)) == 20_000


@pytest.mark.parametrize(
    "data",
    [struct.pack("<I", 0), struct.pack("<I", 5000), struct.pack("<IQ", 1, 1 << 60)],
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        feed(Assembler(), data, 100)
