"""What is recorded of a master's work, to be simulated later with another configuration. PURE.

A recording has what a scheduler decides on, and what came of it: which tasks came when, of which
kind, which task made them, how long each ran, and where. It has no payloads and no results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from concurrent_framework.master import facts
from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.model.ids import (
    FIRST_SPAWNED,
    SEQUENCE_MASK,
    application_of,
    sequence_of,
)
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.model.spec import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from concurrent_framework.protocol.tasks import NewTask, Outcome

HEADER = b"concurrent recording 1\n"
"""The first line of a file; what follows are frames, each with its length before it."""
LENGTH_BYTES = 4
MICROSECONDS = 1_000_000


class RecordingError(ConcurrentError):
    """What was recorded cannot be read; the message says why, and what to do."""


class Client(Struct, array_like=True, tag=1, gc=False):
    """An application, or the tasks of a system (`parent` is then its owner)."""

    number: int
    name: str
    weight: float
    parent: int


class Kind(Struct, array_like=True, tag=2, gc=False):
    """A spec of an application: what the scheduler sees of its tasks."""

    application: int
    number: int
    name: str
    resources: Resources
    priority: int
    shares: tuple[str, ...]


class Shared(Struct, array_like=True, tag=3, gc=False):
    """A shared object of an application, and how many bytes it has."""

    application: int
    digest: str
    size: int


class Helper(Struct, array_like=True, tag=4, gc=False):
    """A worker; what it offers is not known from journals of earlier versions."""

    number: int
    name: str
    capacity: Capacity | None


class Came(Struct, array_like=True, tag=5, gc=False):
    """Tasks came at a unix time (0 if that is not known), with consecutive sequences.

    Args:
        application: whose they are.
        first: the first sequence.
        count: how many.
        kinds: the spec of all, or of each.
        at: when.
        maker: sequence of the task that made them; 0 if they were pushed.

    """

    application: int
    first: int
    count: int
    kinds: int | list[int]
    at: float
    maker: int = 0


class Went(Struct, array_like=True, tag=6, gc=False):
    """Tasks ended.

    Args:
        application: whose they were.
        sequences: the tasks.
        microseconds: how long each ran.
        workers: where all ran, or each; 0 for nowhere.
        failed: places in the lists of those that have no result.
        at: unix time when the master learned of it; 0 if that is not known.

    """

    application: int
    sequences: list[int]
    microseconds: list[int]
    workers: int | list[int]
    failed: tuple[int, ...]
    at: float


class Undone(Struct, array_like=True, tag=7, gc=False):
    """A system went back to its checkpoint: what it pushed after this sequence never was."""

    application: int
    pushed: int


Row = Client | Kind | Shared | Helper | Came | Went | Undone


class Frames:
    """Encodes and decodes the frames of a recording."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[Row])

    def encode(self, rows: Sequence[Row]) -> bytes:
        """Return rows as a frame, with its length before it."""
        data = self._encoder.encode(rows)
        return len(data).to_bytes(LENGTH_BYTES, "big") + data

    def decode(self, data: bytes) -> list[Row]:
        """Return the rows of a frame, without its length.

        Raises:
            RecordingError: it is none.

        """
        try:
            return self._decoder.decode(data)
        except msgspec.MsgspecError as error:
            message = f"a frame of it cannot be read ({error}): record the run again"
            raise RecordingError(message) from error


def rows_of(entry: Sequence[facts.Fact], now: float = 0.0) -> Iterator[Row]:  # noqa: C901 (one case per fact)
    """Return what is recorded of the facts of a round.

    Args:
        entry: all facts of the round: which task made which is found in them together.
        now: unix time of outcomes about which the journal does not tell it.

    """
    makers: _Makers | None = None
    for fact in entry:
        match fact:
            case facts.Submitted():
                maker = 0
                if fact.first >= FIRST_SPAWNED:
                    makers = makers or _Makers(entry)
                    maker = makers.of(fact.application, len(fact.rows))
                count = len(fact.rows)
                kinds = _kinds(fact.rows)
                yield Came(fact.application, fact.first, count, kinds, fact.at, maker)
            case facts.Ended():
                yield _went(fact.application, fact.outcomes, fact.at or now)
            case facts.Finishing():
                yield _went(application_of(fact.outcome.key), [fact.outcome], now)
            case facts.Defined():
                yield from _defined(fact)
            case facts.Application():
                yield Client(fact.number, fact.name, fact.weight, fact.parent)
            case facts.WorkerJoined():
                yield Helper(fact.number, fact.name, fact.capacity)
            case facts.RolledBack():
                yield Undone(fact.child, fact.pushed)
            case facts.Kept():
                for sequence, row, at in zip(fact.sequences, fact.rows, fact.at, strict=True):
                    yield Came(fact.application, sequence, 1, row.spec, at)
            case facts.KeptEnded():
                for outcome, row in zip(fact.outcomes, fact.rows, strict=True):
                    yield Came(fact.application, sequence_of(outcome.key), 1, row.spec, 0.0)
                yield _went(fact.application, fact.outcomes, 0.0)
            case _:
                pass  # it does not matter to what a scheduler decides


def _went(application: int, outcomes: list[Outcome], at: float) -> Went:
    workers = [outcome.worker for outcome in outcomes]
    return Went(
        application,
        [outcome.key & SEQUENCE_MASK for outcome in outcomes],
        [round(outcome.seconds * MICROSECONDS) for outcome in outcomes],
        workers[0] if workers.count(workers[0]) == len(workers) else workers,
        tuple(place for place, one in enumerate(outcomes) if one.failure is not None),
        at,
    )


def _kinds(rows: list[NewTask]) -> int | list[int]:
    kinds = [row.spec for row in rows]
    return kinds[0] if kinds.count(kinds[0]) == len(kinds) else kinds


def _defined(fact: facts.Defined) -> Iterator[Row]:
    for entry in fact.specs:
        spec = entry.spec
        yield Kind(
            fact.application,
            entry.number,
            spec.code.qualname,
            spec.resources,
            spec.priority,
            spec.data(),
        )
    for blob in fact.codes:
        if blob.kind == DATA:
            yield Shared(fact.application, blob.digest, len(blob.data))


class _Makers:
    """Which of a round's tasks have made others: their outcomes say how many."""

    def __init__(self, entry: Iterable[facts.Fact]) -> None:
        self._open: dict[int, list[Outcome]] = {}
        for fact in entry:
            if isinstance(fact, facts.Ended | facts.Finishing):
                ended = fact.outcomes if isinstance(fact, facts.Ended) else [fact.outcome]
                for outcome in ended:
                    if outcome.children:
                        self._open.setdefault(application_of(outcome.key), []).append(outcome)

    def of(self, application: int, children: int) -> int:
        """Return the sequence of the task that made so many; 0 if none of this round did."""
        candidates = self._open.get(application, [])
        for place, outcome in enumerate(candidates):
            if outcome.children == children:
                del candidates[place]
                return sequence_of(outcome.key)
        return 0
