"""Messages about task systems: what is large travels in frames of its own."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.model.spec import CodeReference
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol.codec import INLINE_LIMIT, Codec

LARGE = b"x" * (INLINE_LIMIT + 1)
PUSH = app.PushSystem(3, "farm", CodeReference("m", "Farm"), LARGE)


@pytest.mark.parametrize(
    ("message", "frames"),
    [
        (PUSH, 2),
        (app.HostJob(PUSH), 2),
        (app.HostJob(None), 1),
        (app.SystemDone(LARGE, LARGE), 3),
        (app.SystemDone(b"small", b"small"), 1),
        (app.SystemEnded(1, 3, LARGE, LARGE, origin=PUSH), 4),
        (app.SystemEnded(1, 3, b"small"), 1),
    ],
)
def test_large_parts_of_systems_travel_in_their_own_frames(message: Any, frames: int) -> None:
    codec: Codec[Any] = Codec(app.PushSystem | app.HostJob | app.SystemDone | app.SystemEnded)
    encoded = codec.encode([message], 1)
    assert len(encoded) == frames
    assert codec.decode(encoded) == (1, [message])
