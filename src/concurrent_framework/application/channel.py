"""One connection to the master: messages in and out, numbered so that a loss is noticed."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.application import events as on
from concurrent_framework.protocol.application import ToApplication
from concurrent_framework.protocol.codec import Codec, MalformedError
from concurrent_framework.protocol.numbering import Numbering
from concurrent_framework.protocol.session import (
    Goodbye,
    Heartbeat,
    Hello,
    Refused,
    Resync,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.transport.base import WatchedClient

DRAIN = 64
_UNNUMBERED = (Resync, Refused, Goodbye)


class Channel:
    """Speaks to the master over a transport.

    `keep_alive` may be called from another thread; everything else belongs to the main loop.

    Args:
        transport: what moves the frames.
        clock: monotonic time in seconds.

    """

    def __init__(self, transport: WatchedClient, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock
        self._codec: Codec[Any] = Codec(ToApplication)
        self._lock = threading.Lock()
        self._numbers = Numbering()
        self._backlog: deque[list[Any]] = deque()
        self._spoke = clock()
        self._open = True
        self._signal_used = True
        """Whether the descriptor may keep quiet about something: it signals arrivals, not presence."""
        self.sent = 0
        self.received = 0

    def fileno(self) -> int:
        """Return what the event loop is to watch."""
        return self._transport.fileno()

    def pending(self) -> bool:
        """Whether something has arrived of which the descriptor will not tell."""
        with self._lock:
            if not self._signal_used:
                return False
            self._signal_used = self._open and self._transport.pending()
            return self._signal_used

    @property
    def blocked(self) -> bool:
        """Whether something could not leave yet because the transport's queue is full."""
        return bool(self._backlog)

    def send(self, messages: Sequence[Any]) -> None:
        """Send messages in one envelope, or keep them until the transport takes them."""
        with self._lock:
            if type(messages[0]) is Hello:
                # Both sides compare what they have after a greeting: what is stuck is obsolete.
                self._numbers.await_greeting()
                self._backlog.clear()
            self._push(messages)

    def retry(self) -> None:
        """Try again to send what could not leave."""
        with self._lock:
            self._signal_used = True
            while self._backlog and self._transport.send(self._backlog[0]):
                self._backlog.popleft()

    def keep_alive(self, silence: float) -> bool:
        """Say that this side lives if it has said nothing for so many seconds."""
        with self._lock:
            due = self._open and self.sent > 0 and self._clock() - self._spoke >= silence
            if not due or self._backlog:
                return False
            self._push([Heartbeat()])
            return True

    def receive(self) -> list[on.Event]:
        """Return what has arrived, up to a limit."""
        with self._lock:
            envelopes = self._transport.receive(DRAIN)
            self._signal_used = bool(envelopes)
            problems = self._transport.problems()
        happened: list[on.Event] = [on.LinkTrouble(one.kind, one.text) for one in problems]
        for frames in envelopes:
            self.received += 1
            try:
                number, messages = self._codec.decode(frames)
            except MalformedError as error:
                happened.append(on.Unreadable(str(error), error.version))
                continue
            if messages:
                happened += self._in_order(number, messages)
        return happened

    def close(self, linger: float) -> None:
        """Close, after up to `linger` seconds for what is queued."""
        with self._lock:
            self._open = False
            self._transport.close(linger)

    def _push(self, messages: Sequence[Any]) -> None:
        frames = self._codec.encode(messages, self._numbers.next())
        self._spoke = self._clock()
        self.sent += 1
        self._signal_used = True
        if self._backlog or not self._transport.send(frames):
            self._backlog.append(frames)

    def _in_order(self, number: int, messages: list[Any]) -> list[on.Event]:
        if Welcome in map(type, messages):
            if not self._numbers.greeted(number):
                return []
        elif not isinstance(messages[0], _UNNUMBERED):
            place = self._numbers.take(number)
            if place != "next":
                return [on.Missed()] if place == "gap" else []
        return [on.Received(messages)]
