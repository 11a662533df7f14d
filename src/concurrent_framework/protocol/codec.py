"""Encoding of envelopes: the one place where bytes become messages.

An envelope is a list of frames. The first holds ``[protocol version, number, messages]`` in
MessagePack; each payload over `INLINE_LIMIT` bytes follows as a frame of its own, and its row holds
the frame's index instead. `number` counts the envelopes of one connection and direction from 1, so
that a receiver notices a loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from concurrent_framework.protocol import application, executor, worker
from concurrent_framework.protocol.detaching import Frames, attach, columns, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.protocol.tasks import Outcome

PROTOCOL_VERSION = 1
MAX_ENVELOPE_BYTES = 64 * 1024 * 1024
"""Limit of the first frame; payloads in frames of their own have the transport's limit."""
MAX_FRAMES = 4096


class MalformedError(Exception):
    """The bytes are no envelope of this protocol: wrong version, too large, or not decodable."""

    def __init__(self, reason: str, version: int | None = None) -> None:
        super().__init__(reason)
        self.version = version


class _Header(msgspec.Struct, array_like=True):
    version: int
    number: int
    messages: msgspec.Raw


_TASKS = frozenset({application.Submit, worker.Run, worker.Checkpoints, executor.Chunk})
_THEMSELVES = frozenset({application.PushSystem, application.SystemDone, application.Checkpoint})

M = TypeVar("M")


class Codec(Generic[M]):
    """Encodes what one end sends and decodes what it receives.

    Args:
        incoming: the messages that may come.
        trusting: who sends them is certain to fill in every row.

    """

    def __init__(self, incoming: Any, *, trusting: bool = True) -> None:
        self._trusting = trusting
        self._encoder = msgspec.msgpack.Encoder()
        self._header = msgspec.msgpack.Decoder(_Header)
        self._messages: msgspec.msgpack.Decoder[list[M]] = msgspec.msgpack.Decoder(list[incoming])

    def encode(self, messages: Sequence[Any], number: int) -> Frames:
        """Turn messages into frames. Large payloads leave their rows: rows must not be reused."""
        rows = [row for message in messages for row in _rows(message)]
        return encoded(rows, lambda: self._encoder.encode((PROTOCOL_VERSION, number, messages)))

    def decode(self, frames: Frames) -> tuple[int, list[M]]:
        """Turn frames into the envelope's number and its messages; raises `MalformedError`."""
        first = frames[0]
        if len(first) > MAX_ENVELOPE_BYTES or len(frames) > MAX_FRAMES:
            message = f"an envelope of {len(first)} bytes in {len(frames)} frames is too large"
            raise MalformedError(message)
        try:
            header = self._header.decode(first)
        except msgspec.MsgspecError as error:
            message = f"not an envelope: {error}"
            raise MalformedError(message) from error
        if header.version != PROTOCOL_VERSION:
            message = f"protocol version {header.version}, expected {PROTOCOL_VERSION}"
            raise MalformedError(message, header.version)
        try:
            messages = self._messages.decode(header.messages)
            if len(frames) > 1:
                for one in messages:
                    for row in _rows(one):
                        attach(row, frames)
            elif not self._trusting:
                for one in messages:
                    _refuse_references(_rows(one))
        except (msgspec.MsgspecError, IndexError) as error:
            message = f"not decodable: {error}"
            raise MalformedError(message, header.version) from error
        return header.number, messages


def _rows(message: Any) -> Sequence[Any]:
    """Return the rows of a message whose payloads may be large."""
    kind = type(message)
    if kind in _TASKS:
        return message.tasks  # type: ignore[no-any-return]
    if kind is worker.Outcomes:
        return _with_spawned(message.outcomes)
    if kind is executor.Done:
        rows = _with_spawned(message.outcomes)
        return [*rows, *message.checkpoints] if message.checkpoints else rows
    if kind is application.Deliver:
        return [*_with_spawned(message.outcomes), *message.origins.values()]
    if kind is application.Finish:
        return [row for item in message.items for row in (item.task, item.outcome)]
    if kind in _THEMSELVES:
        return [message]
    if kind is application.SystemEnded:
        return [message, message.origin] if message.origin is not None else [message]
    if kind is application.HostJob:
        rows = [message.system, message] if message.system is not None else []
        return [*rows, *message.codes]
    if kind is application.Define or kind is worker.Provide:
        return message.codes  # type: ignore[no-any-return]
    return ()


def _with_spawned(outcomes: list[Outcome]) -> list[Any]:
    spawned = [row for outcome in outcomes if outcome.spawned for row in outcome.spawned]
    return outcomes + spawned if spawned else outcomes


def _refuse_references(rows: Sequence[Any]) -> None:
    """Raise IndexError if a row refers to a frame although there are none."""
    for column in columns(rows):
        if int in set(map(type, column)):
            reason = "a row refers to a frame, and there is none"
            raise IndexError(reason)
