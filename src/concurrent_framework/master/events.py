"""Everything that can happen to the master. PURE."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from msgspec import Struct

from concurrent_framework.protocol.session import Hello, Role


class Greeted(Struct, frozen=True):
    """A peer said hello.

    Args:
        peer: the connection.
        hello: what it said.
        granted: the roles that its token or its private connection entitles it to.
        objection: why it has no role at all, for people; empty if it has one.

    """

    peer: Hashable
    hello: Hello
    granted: frozenset[Role]
    objection: str = ""


class Received(Struct, frozen=True):
    """Messages other than `Hello` from a peer, in order."""

    peer: Hashable
    messages: list[Any]


class Missed(Struct, frozen=True):
    """Something a peer sent was lost or could not be read; `reason` is for people."""

    peer: Hashable
    reason: str


class HostEnded(Struct, frozen=True):
    """A system host's process has ended, or could not be started (exit code None, signal 0)."""

    host: str
    exit_code: int | None
    signal: int
    stderr: str


class Begun(Struct, frozen=True):
    """The master begins, on what its journal held; the first event there is."""


class StorageFailed(Struct, frozen=True):
    """The store does not take anything, the facts of the last round included; `reason` is for people."""

    reason: str


class StorageBack(Struct, frozen=True):
    """The store takes something again, and everything it was given is safe."""


class Tick(Struct, frozen=True):
    """The deadline that the reactor asked for has come."""


class Stopping(Struct, frozen=True):
    """The master is asked to end: say goodbye to everybody."""

    reason: str


Event = (
    Begun | Greeted | Received | Missed | HostEnded | StorageFailed | StorageBack | Tick | Stopping
)
