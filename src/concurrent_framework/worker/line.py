"""The worker's line to its master: frames in, events out; messages in, frames out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.protocol.codec import PROTOCOL_VERSION, Codec, MalformedError
from concurrent_framework.protocol.numbering import Numbering
from concurrent_framework.protocol.session import Hello, Refused, Resync, Welcome
from concurrent_framework.protocol.worker import ToWorker
from concurrent_framework.stats import NOTHING
from concurrent_framework.stats.codec import MeasuredCodec
from concurrent_framework.worker.events import Missed, Received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.stats import Registry
    from concurrent_framework.transport.base import ClientTransport
    from concurrent_framework.worker.events import Event

DRAIN = 64


class Line:
    """Everything between the transport and the core."""

    def __init__(self, transport: ClientTransport, stats: Registry = NOTHING) -> None:
        self._transport = transport
        self._codec = MeasuredCodec(Codec(ToWorker), stats)
        self._numbers = Numbering()

    def receive(self) -> list[Event]:
        """Return what has arrived."""
        events: list[Event] = []
        for frames in self._transport.receive(DRAIN):
            try:
                number, messages = self._codec.decode(frames)
            except MalformedError as error:
                events.append(self._unreadable(error))
                continue
            if not messages:
                continue
            first = type(messages[0])
            if first is Welcome:
                if not self._numbers.greeted(number):
                    continue
            elif first not in {Resync, Refused}:
                place = self._numbers.take(number)
                if place == "gap":
                    events.append(Missed(f"something before its envelope {number}"))
                if place != "next":
                    continue
            events.append(Received(messages))
        return events

    @staticmethod
    def _unreadable(error: MalformedError) -> Event:
        if error.version in (None, PROTOCOL_VERSION):
            return Missed(str(error))
        reason = (
            f"the master speaks protocol version {error.version}, this worker {PROTOCOL_VERSION}:"
            " install the same version of concurrent-framework on both sides"
        )
        return Received([Refused("version", reason)])

    def send(self, messages: Sequence[Any]) -> None:
        """Send an envelope. One that cannot leave counts: the master will notice the gap."""
        if type(messages[0]) is Hello:
            self._numbers.await_greeting()
        self._transport.send(self._codec.encode(messages, self._numbers.next()))
