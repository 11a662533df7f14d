"""The facts of a round, as an entry of the journal. PURE."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from concurrent_framework.master.facts import (
    FORMAT,
    READABLE,
    Defined,
    Ended,
    Fact,
    Finishing,
    JournalError,
    Kept,
    KeptEnded,
    Submitted,
)
from concurrent_framework.protocol.detaching import attach, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

_IN_PIECES = b"\xc1"
"""What no MessagePack begins with."""


class _Head(Struct, array_like=True):
    format: int
    facts: msgspec.Raw


# `msgspec.msgpack.decode` works out the types anew for each entry, which takes far longer than to read it.
_HEADS: Final = msgspec.msgpack.Decoder(_Head)
_FACTS: Final = msgspec.msgpack.Decoder(list[Fact])


def encode(facts: Sequence[Fact]) -> list[bytes]:
    """Turn the facts of a round into an entry of the journal, in pieces.

    One with large payloads begins with a byte that no other does. It has how many pieces follow, how
    long they are, and then these: the facts, and each payload that one of their rows refers to.
    """
    frames = encoded(_rows(facts), lambda: msgspec.msgpack.encode((FORMAT, facts)))
    if len(frames) > 1:
        lengths = map(len, frames)
        begin = struct.pack(f"<cI{len(frames)}Q", _IN_PIECES, len(frames), *lengths)
        frames[0] = begin + frames[0]
    return frames


def decode(data: bytes | memoryview) -> list[Fact]:
    """Turn an entry into facts; large payloads are views of it if it is one itself.

    Raises:
        JournalError: it was written by another version, or is none of ours.

    """
    try:
        frames = _pieces(data) if data[:1] == _IN_PIECES else [data]
        head = _HEADS.decode(frames[0])
        if head.format in READABLE:
            facts = _FACTS.decode(head.facts)
            if len(frames) > 1:
                for row in _rows(facts):
                    attach(row, frames)
            return facts
    except (msgspec.MsgspecError, struct.error, IndexError) as error:
        message = f"the journal holds an entry that cannot be read: {error}"
        raise JournalError(message) from error
    message = (
        f"the journal was written in format {head.format}, this version reads formats up to {FORMAT}: start"
        " the version of concurrent-framework that wrote it, or move the journal away"
    )
    raise JournalError(message)


def _rows(facts: Sequence[Fact]) -> list[Any]:
    """Return what may have large payloads, of which many may come."""
    rows: list[Any] = []
    for fact in facts:
        kind = type(fact)
        if kind is Submitted or kind is Kept:
            rows += fact.rows  # type: ignore[union-attr]
        elif kind is Ended:
            rows += fact.outcomes  # type: ignore[union-attr]
        elif kind is KeptEnded:
            rows += fact.outcomes  # type: ignore[union-attr]
            rows += fact.rows  # type: ignore[union-attr]
        elif kind is Finishing:
            rows.append(fact.outcome)  # type: ignore[union-attr]
        elif kind is Defined:
            rows += fact.codes  # type: ignore[union-attr]
    return rows


def _pieces(data: bytes | memoryview) -> list[bytes | memoryview]:
    (count,) = struct.unpack_from("<I", data, len(_IN_PIECES))
    lengths = f"<{count}Q"
    place = len(_IN_PIECES) + struct.calcsize("<I")
    sizes = struct.unpack_from(lengths, data, place)
    place += struct.calcsize(lengths)
    pieces: list[bytes | memoryview] = []
    for size in sizes:
        pieces.append(data[place : place + size])
        place += size
    if place != len(data):
        reason = f"it has {len(data)} bytes instead of {place}"
        raise IndexError(reason)
    return pieces
