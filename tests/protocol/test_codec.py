"""Messages come out as they went in, and what is large travels beside them."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.protocol import application, executor
from concurrent_framework.protocol.application import Deliver, FromApplication, Submit
from concurrent_framework.protocol.codec import Codec, MalformedError
from concurrent_framework.protocol.detaching import INLINE_LIMIT
from concurrent_framework.protocol.executor import Done, FromExecutor
from concurrent_framework.protocol.tasks import NewTask, Outcome

BIG = bytes(INLINE_LIMIT + 1)
OTHER = b"\1" * (2 * INLINE_LIMIT)


def travel(message: Any, union: Any, frames: int) -> None:
    codec: Codec[Any] = Codec(union)
    encoded = codec.encode([message], 7)
    assert len(encoded) == frames
    assert len(encoded[0]) < INLINE_LIMIT
    assert codec.decode(encoded) == (7, [message])
    # The rows that were sent are as before: whoever keeps them may send them again.
    assert codec.encode([message], 7) == encoded


@pytest.mark.parametrize("others", [0, 3, 40])
def test_large_payloads_are_frames(others: int) -> None:
    small = [NewTask(1, "small", b"x") for _ in range(others)]
    rows = [NewTask(1, "big", BIG), *small, NewTask(1, "other", OTHER)]
    travel(Submit(1, rows), FromApplication, 3)


@pytest.mark.parametrize("count", [1, 300])
def test_small_payloads_are_not(count: int) -> None:
    travel(Submit(1, [NewTask(1, "n", b"x" * 50)] * count), FromApplication, 1)


def test_many_middling_payloads_stay_inline() -> None:
    message = Submit(1, [NewTask(1, "n", b"x" * 5000) for _ in range(100)])
    codec: Codec[Any] = Codec(FromApplication)
    (frame,) = codec.encode([message], 1)
    assert codec.decode([frame]) == (1, [message])


def test_many_large_rows_are_not_encoded_with_their_payloads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [NewTask(1, "", BIG if number else b"") for number in range(100)]
    codec: Codec[Any] = Codec(FromApplication)
    encode = codec._encoder.encode
    lengths: list[int] = []

    class Encoder:
        def encode(self, message: Any) -> bytes:
            data = encode(message)
            lengths.append(len(data))
            return data

    monkeypatch.setattr(codec, "_encoder", Encoder())
    assert len(codec.encode([Submit(1, rows)], 1)) == 100
    assert len(lengths) == 1
    assert lengths[0] < INLINE_LIMIT


def test_large_parts_of_outcomes_are_frames() -> None:
    spawned = (NewTask(1, "child", BIG), NewTask(1, "child", b"x"))
    outcome = Outcome(1, 1, result=BIG, changes=OTHER, spawned=spawned)
    travel(Done([outcome, Outcome(2, 1)]), FromExecutor, 4)


def test_origins_of_outcomes() -> None:
    message = Deliver(1, [Outcome(5, 1, result=BIG)], {0: NewTask(1, "n", OTHER)})
    travel(message, application.ToApplication, 3)


def test_reference_to_a_frame_that_is_not_there() -> None:
    codec: Codec[Any] = Codec(executor.FromExecutor)
    frames = codec.encode([Done([Outcome(1, 1, result=9)])], 1)
    with pytest.raises(MalformedError, match="frame 9"):
        codec.decode([*frames, b""])


def test_rows_of_strangers_have_no_references_without_frames() -> None:
    rows = [NewTask(1, "n", b"x"), NewTask(1, "n", 1)]
    frames = Codec[Any](FromApplication).encode([Submit(1, rows)], 7)
    with pytest.raises(MalformedError, match="refers to a frame"):
        Codec[Any](FromApplication, trusting=False).decode(frames)
    whole = Codec[Any](FromApplication).encode([Submit(1, rows[:1])], 7)
    assert Codec[Any](FromApplication, trusting=False).decode(whole) == (7, [Submit(1, rows[:1])])
