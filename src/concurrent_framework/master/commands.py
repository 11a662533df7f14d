"""Everything the master's core can ask its shell for. PURE."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal

from msgspec import Struct

from concurrent_framework.master.facts import Fact


class Persist(Struct, frozen=True):
    """Make these facts safe, before anything that follows is done; the first command if there is any."""

    facts: list[Fact]


class Send(Struct, frozen=True):
    """Send these messages to a peer, as one envelope."""

    peer: Hashable
    messages: list[Any]


class Drop(Struct, frozen=True):
    """Forget a connection, after what was sent to it: its messages are no longer wanted."""

    peer: Hashable


class StartHost(Struct, frozen=True):
    """Start the process of a system host; it says `Hello` with `host` as its session."""

    host: str


class StopHost(Struct, frozen=True):
    """End a system host's process."""

    host: str


class Log(Struct, frozen=True):
    """Something people should be able to read later; `ids` says what it is about."""

    level: Literal["debug", "info", "warning", "error"]
    text: str
    kind: str = "master.told"
    ids: dict[str, Any] = {}


Command = Persist | Send | Drop | StartHost | StopHost | Log
