"""Large payloads leave their rows before these are encoded, so that they are not copied. PURE."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from concurrent_framework.model.spec import CodeBlob
from concurrent_framework.protocol import application
from concurrent_framework.protocol.tasks import Assigned, NewTask, Outcome, TaskCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

INLINE_LIMIT = 64 * 1024
"""Bytes that a payload may have to stay in its row."""

Frames = list[Any]
"""Bytes-like objects: bytes, memoryview, or what the transport hands out."""

_FEW_ROWS = 16
_FIELDS: dict[type, tuple[str, ...]] = {
    NewTask: ("payload",),
    Assigned: ("payload", "restored"),
    Outcome: ("result", "changes"),
    TaskCheckpoint: ("state",),
    application.PushSystem: ("payload",),
    application.SystemDone: ("result", "state"),
    application.SystemEnded: ("result", "state"),
    application.Checkpoint: ("state",),
    application.HostJob: ("checkpoint",),
    CodeBlob: ("data",),
}
"""Where rows of batches, and messages about systems, have what may be large."""


def encoded(rows: Sequence[Any], encode: Callable[[], bytes]) -> Frames:
    """Return what `encode` makes while large payloads are out of their rows, and these payloads.

    Args:
        rows: where payloads may be; they are as before when this returns, and a row that had a large
            one must not be in use elsewhere meanwhile.
        encode: encodes something that has these rows in it.

    """
    if len(rows) > _FEW_ROWS and not _any_large(rows[:: len(rows) // _FEW_ROWS]):
        # Looking at each row costs more than encoding it. Mostly one look at the whole will do.
        data = encode()
        if len(data) <= INLINE_LIMIT or not _any_large(rows):
            return [data]
    frames: Frames = [b""]
    for row in rows:
        _detach_large(row, frames)
    frames[0] = encode()
    if len(frames) > 1:
        for row in rows:
            attach(row, frames)
    return frames


def attach(row: Any, frames: Frames) -> None:
    """Put payloads into the row that refers to them; raises IndexError if one is missing."""
    for field in _FIELDS[type(row)]:
        value = getattr(row, field)
        if isinstance(value, int):
            if not 0 < value < len(frames):
                reason = f"frame {value} of {len(frames)}"
                raise IndexError(reason)
            setattr(row, field, frames[value])


def columns(rows: Sequence[Any]) -> Iterator[Iterator[Any]]:
    """Iterate over the values of each field that may be large, of all rows that have it."""
    kinds = set(map(type, rows))
    for kind in kinds:
        members = rows if len(kinds) == 1 else [row for row in rows if type(row) is kind]
        for field in _FIELDS[kind]:
            yield map(attrgetter(field), members)


def _any_large(rows: Sequence[Any]) -> bool:
    """Whether any row has something that leaves it, by one look at each field of all."""
    return any(max(map(len, column)) > INLINE_LIMIT for column in columns(rows))


def _detach_large(row: Any, frames: Frames) -> None:
    for field in _FIELDS[type(row)]:
        value = getattr(row, field)
        if not isinstance(value, int) and len(value) > INLINE_LIMIT:
            frames.append(value)
            setattr(row, field, len(frames) - 1)
