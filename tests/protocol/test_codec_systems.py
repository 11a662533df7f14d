"""Messages about task systems and checkpoints: what is large travels in frames of its own."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.model.spec import CodeReference
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import executor, worker
from concurrent_framework.protocol.codec import Codec
from concurrent_framework.protocol.detaching import INLINE_LIMIT
from concurrent_framework.protocol.tasks import Assigned, Outcome, TaskCheckpoint

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
        (app.HostJob(PUSH, checkpoint=LARGE), 3),
        (app.Checkpoint(1, 5, 7, LARGE), 2),
        (app.Checkpoint(1, 5, 7, b"small"), 1),
        (worker.Checkpoints([TaskCheckpoint(9, 1, LARGE), TaskCheckpoint(10, 2, b"small")]), 2),
        (worker.Run([Assigned(9, 2, 1, LARGE, LARGE), Assigned(10, 1, 1, b"small")]), 3),
        (executor.Done([Outcome(8, 1, LARGE)], checkpoints=(TaskCheckpoint(9, 1, LARGE),)), 3),
    ],
)
def test_large_parts_of_systems_travel_in_their_own_frames(message: Any, frames: int) -> None:
    codec: Codec[Any] = Codec(type(message))
    encoded = codec.encode([message], 1)
    assert len(encoded) == frames
    assert codec.decode(encoded) == (1, [message])
