"""Everything that can happen to an application's session. PURE.

Pushing is not among them: it happens once per task and is a plain method of the session.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from concurrent_framework.protocol.application import Checkpoint


class Started(Struct, frozen=True):
    """The transport is there: introduce yourself."""


class Received(Struct, frozen=True):
    """Messages of one envelope from the master, in order."""

    messages: list[Any]


class Missed(Struct, frozen=True):
    """Something the master sent was lost on the way."""


class Unreadable(Struct, frozen=True):
    """An envelope could not be decoded; `version` is its protocol version, if it could be read."""

    reason: str
    version: int | None


class LinkTrouble(Struct, frozen=True):
    """The transport could not connect, or lost the connection (kinds as in `LinkProblem`)."""

    kind: str
    text: str


class Flush(Struct, frozen=True):
    """What was pushed should leave: full batches, or all of it since the user's code returned."""

    full_only: bool = False


class Handled(Struct, frozen=True):
    """The callbacks for every outcome up to this number have returned."""

    through: int


class CancelAsked(Struct, frozen=True):
    """Cancel these sequences; `everything` if they are all there are, spawned ones included.

    So are all tasks of `specs`, those included that other tasks of these specs make.
    """

    sequences: tuple[int, ...]
    everything: bool = False
    specs: tuple[int, ...] = ()


class Told(Struct, frozen=True):
    """Send these. `keep`: say them again after each new greeting, they have no acknowledgement."""

    messages: tuple[Any, ...]
    keep: bool = False


class CheckpointTaken(Struct, frozen=True):
    """A system's state has been taken down between two callbacks: hand it to the master."""

    checkpoint: Checkpoint


class Leaving(Struct, frozen=True):
    """The application ends: say goodbye."""

    reason: str = ""
    detach: bool = False


class Tick(Struct, frozen=True):
    """The session's deadline has come."""


Event = (
    Started
    | Received
    | Missed
    | Unreadable
    | LinkTrouble
    | Flush
    | Handled
    | CancelAsked
    | Told
    | CheckpointTaken
    | Leaving
    | Tick
)
