"""The master's lines to its peers: frames in, events out; messages in, frames out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master.events import Greeted, Missed, Received
from concurrent_framework.protocol.application import FromApplication
from concurrent_framework.protocol.codec import PROTOCOL_VERSION, Codec, MalformedError
from concurrent_framework.protocol.numbering import Numbering
from concurrent_framework.protocol.session import Hello, Refused
from concurrent_framework.protocol.worker import FromWorker
from concurrent_framework.stats import NOTHING
from concurrent_framework.stats.codec import MeasuredCodec

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from concurrent_framework.master.events import Event
    from concurrent_framework.protocol.session import Role
    from concurrent_framework.stats import Registry
    from concurrent_framework.transport.base import ServerTransport

DRAIN = 256
"""Envelopes taken in at a time, so that sending is never put off for long."""


class Line:
    """Everything between the transport and the core.

    Args:
        transport: what moves the frames.
        grant: says which roles a peer may take, or why none; it gets the `Hello` and whether the
            peer came over the private endpoint.
        stats: where envelopes are measured.

    """

    def __init__(
        self,
        transport: ServerTransport,
        grant: Callable[[Hello, bool], tuple[frozenset[Role], str]],
        stats: Registry = NOTHING,
    ) -> None:
        self._transport = transport
        self._grant = grant
        self._codec = MeasuredCodec(Codec(FromApplication | FromWorker, trusting=False), stats)
        self._numbers: dict[Hashable, Numbering] = {}

    def receive(self) -> list[Event]:
        """Return what has arrived."""
        events: list[Event] = []
        for peer, local, frames in self._transport.receive(DRAIN):
            try:
                number, messages = self._codec.decode(frames)
            except MalformedError as error:
                self._reject(peer, error, events)
                continue
            if messages:
                self._sort(peer, number, messages, events, local=local)
        return events

    def _sort(
        self,
        peer: Hashable,
        number: int,
        messages: list[Any],
        events: list[Event],
        *,
        local: bool,
    ) -> None:
        first = messages[0]
        if type(first) is Hello:
            if not self._numbers.setdefault(peer, Numbering()).greeted(number):
                return
            events.append(Greeted(peer, first, *self._grant(first, local)))
            messages = messages[1:]
        elif (numbers := self._numbers.get(peer)) is not None:
            place = numbers.take(number)
            if place == "gap":
                events.append(Missed(peer, f"something before its envelope {number}"))
            if place != "next":
                return
        if messages:
            events.append(Received(peer, messages))

    def _reject(self, peer: Hashable, error: MalformedError, events: list[Event]) -> None:
        if error.version not in (None, PROTOCOL_VERSION):
            reason = (
                f"this master speaks protocol version {PROTOCOL_VERSION}, the peer {error.version}:"
                " install the same version of concurrent-framework on both sides"
            )
            self.send(peer, [Refused("version", reason)])
            self.drop(peer)
        elif peer in self._numbers:
            events.append(Missed(peer, str(error)))

    def send(self, peer: Hashable, messages: Sequence[Any]) -> None:
        """Send an envelope. One that cannot leave counts: the peer will notice the gap."""
        numbers = self._numbers.get(peer)
        number = 1 if numbers is None else numbers.next()
        self._transport.send(peer, self._codec.encode(messages, number))

    def drop(self, peer: Hashable) -> None:
        """Forget a connection."""
        self._numbers.pop(peer, None)
