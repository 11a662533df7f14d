"""Gathers what the handlers of one round want done, so that each peer gets one envelope. PURE."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.master.commands import Drop, Log, Send, StartHost, StopHost

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.chronicle import Chronicle
    from concurrent_framework.master.commands import Command
    from concurrent_framework.protocol.application import Accepted
    from concurrent_framework.protocol.worker import OutcomesSafe


class Outbox:
    """What one round of the reactor results in.

    Args:
        chronicle: where what is logged is kept for those who follow it.
        linger: seconds that an acknowledgement may wait for something else to travel with.

    """

    def __init__(self, chronicle: Chronicle, linger: float = 0.0) -> None:
        self._chronicle = chronicle
        self._linger = linger
        self._messages: dict[Hashable, list[Any]] = {}
        self._lingering: dict[Hashable, dict[type, Any]] = {}
        self._lingering_until = 0.0
        self._before: list[Command] = []
        self._after: list[Command] = []

    def send(self, peer: Hashable, message: object) -> None:
        """Add a message to a peer's envelope."""
        messages = self._messages.get(peer)
        if messages is None:
            self._messages[peer] = [message]
        else:
            messages.append(message)

    def acknowledge(self, peer: Hashable, message: Accepted | OutcomesSafe, now: float) -> None:
        """Send a message that says "up to here": soon, or with what the peer is sent before.

        To wake a process costs more than to tell it something. A later acknowledgement takes the
        place of one of its kind.
        """
        if not self._lingering:
            self._lingering_until = now + self._linger
        self._lingering.setdefault(peer, {})[type(message)] = message

    @property
    def due(self) -> float:
        """When `flush` has something to send if nothing else happens."""
        return self._lingering_until if self._lingering else math.inf

    def drop(self, peer: Hashable) -> None:
        """Forget a connection after what was sent to it."""
        self._lingering.pop(peer, None)
        self._after.append(Drop(peer))

    def begin_with(self, peer: Hashable) -> None:
        """Forget what this round had for a peer before its greeting, which settles all of it."""
        self._messages.pop(peer, None)
        self._lingering.pop(peer, None)
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

    def flush(self, now: float) -> tuple[list[Command], list[Hashable]]:
        """Return the commands in their order and the peers that get something; start afresh."""
        if self._lingering:
            self._add_acknowledgements(now)
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

    def forget_acknowledgements(self) -> None:
        """Acknowledge nothing of what has not been acknowledged yet."""
        self._lingering.clear()

    def _add_acknowledgements(self, now: float) -> None:
        """Put acknowledgements before what their peers are sent anyway, or all when it is time."""
        if now >= self._lingering_until:
            leaving = list(self._lingering)
        else:
            leaving = [peer for peer in self._lingering if peer in self._messages]
        for peer in leaving:
            acknowledgements = self._lingering.pop(peer).values()
            self._messages[peer] = [*acknowledgements, *self._messages.get(peer, ())]
