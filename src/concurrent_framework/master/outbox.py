"""Gathers what the handlers of one round want done, so that each peer gets one envelope. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.master.commands import Drop, Log, Send, StartHost, StopHost

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.chronicle import Chronicle
    from concurrent_framework.master.commands import Command


class Outbox:
    """What one round of the reactor results in.

    Args:
        chronicle: where what is logged is kept for those who follow it.

    """

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._messages: dict[Hashable, list[Any]] = {}
        self._before: list[Command] = []
        self._after: list[Command] = []

    def send(self, peer: Hashable, message: object) -> None:
        """Add a message to a peer's envelope."""
        messages = self._messages.get(peer)
        if messages is None:
            self._messages[peer] = [message]
        else:
            messages.append(message)

    def drop(self, peer: Hashable) -> None:
        """Forget a connection after what was sent to it."""
        self._after.append(Drop(peer))

    def begin_with(self, peer: Hashable) -> None:
        """Forget what this round had for a peer before its greeting, which settles all of it."""
        self._messages.pop(peer, None)
        self._after = [one for one in self._after if one != Drop(peer)]

    def start_host(self, host: str) -> None:
        """Start a host's process."""
        self._before.append(StartHost(host))

    def stop_host(self, host: str) -> None:
        """End a host's process, after what was sent to it."""
        self._after.append(StopHost(host))

    def log(
        self,
        level: Literal["debug", "info", "warning", "error"],
        text: str,
        kind: str = "master.told",
        **ids: Any,
    ) -> None:
        """Write to the master's log, and tell those who follow it.

        Args:
            level: how bad it is.
            text: for people.
            kind: what has happened, as ``noun.verb``.
            ids: what it is about: application, worker, task.

        """
        self._before.append(Log(level, text, kind, ids))
        self._chronicle.note(kind, level, text, ids)

    def flush(self) -> tuple[list[Command], list[Hashable]]:
        """Return the commands in their order and the peers that get something; start afresh."""
        peers = list(self._messages)
        commands = [
            *self._before,
            *(Send(peer, messages) for peer, messages in self._messages.items()),
            *self._after,
        ]
        self._messages = {}
        self._before = []
        self._after = []
        return commands, peers
