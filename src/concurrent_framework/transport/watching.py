"""What ZeroMQ's socket monitors tell, made into problems that people understand."""

from __future__ import annotations

import select
import socket as sockets
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import zmq

from concurrent_framework.transport.base import LinkProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
CLIENT_EVENTS = (
    _FAILED
    | zmq.EVENT_CONNECTED
    | zmq.EVENT_CONNECT_DELAYED
    | zmq.EVENT_CONNECT_RETRIED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
)
SERVER_EVENTS = _FAILED | zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED

REDIAL = 1.0
"""Seconds after which a connection that ZeroMQ has given up is dialled anew."""
_WRONG_KEY = zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC
QUIET = 60.0
"""Seconds before the same trouble with the same caller is told again."""
_CALLERS = 1000
"""Troubles kept until they are told, at most: nobody can fill the memory by calling."""
_DOUBTS = 2
"""A handshake that merely broke off is blamed on the key the second time: the first may have been
a master that went away at that moment."""


class Event(NamedTuple):
    """One event of a socket monitor; the meaning of `value` depends on its kind."""

    kind: int
    value: int


class Signals:
    """Tells cheaply whether one of some seldom used sockets has something to receive.

    After a yes, each of them must be received from until it is empty, and nothing else may touch
    them: their descriptors are edge-triggered.
    """

    def __init__(self, sockets: Sequence[zmq.Socket[bytes]]) -> None:
        self.filenos = tuple(int(socket.getsockopt(zmq.FD)) for socket in sockets)
        self._poll: Any = None
        if hasattr(select, "poll"):
            self._poll = select.poll()
            for fileno in self.filenos:
                self._poll.register(fileno, select.POLLIN)

    def any(self) -> bool:
        """Whether there may be something."""
        return self._poll is None or bool(self._poll.poll(0))


class Monitor:
    """Reads a socket's events without ever making ZeroMQ's own thread wait for us.

    Args:
        watched: the socket, before it binds or connects.
        kinds: the events wanted, or-ed.

    """

    def __init__(self, watched: zmq.Socket[bytes], kinds: int) -> None:
        address = f"inproc://monitor-{id(watched)}"
        watched.monitor(address, kinds)
        self._watched = watched
        self.socket = watched.context.socket(zmq.PAIR)
        self.socket.setsockopt(zmq.LINGER, 0)
        # Unbounded: with a full queue, ZeroMQ's thread would block and stop all traffic.
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.connect(address)
        # The descriptor signals only to a reader that has once found nothing.
        self.events()

    def events(self) -> list[Event]:
        """Return what has happened since the last call."""
        found: list[Event] = []
        try:
            while True:
                header, _ = self.socket.recv_multipart(zmq.NOBLOCK)
                found.append(Event(*struct.unpack("=HI", header)))
        except zmq.Again:
            return found

    def close(self) -> None:
        """Stop watching."""
        self._watched.monitor(None, 0)
        self.socket.close(0)


class Dialling:
    """The state of a client's one connection, told by its events. Knows no sockets.

    Each trouble is told once until the connection stands again or the trouble changes.

    Args:
        endpoint: for the texts.

    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._stands = False
        self._told = ""
        self._broken_off = 0
        self._attempt_seen = False
        self.redial_at: float | None = None

    def feed(self, event: Event, now: float) -> LinkProblem | None:
        """Take an event; return the problem it means, if it is news."""
        kind = event.kind
        if kind == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._stands = True
            self._told = ""
            self._broken_off = 0
        elif kind in {zmq.EVENT_CONNECT_DELAYED, zmq.EVENT_CONNECTED}:
            self._attempt_seen = True
            self.redial_at = None
        elif kind == zmq.EVENT_CONNECT_RETRIED:
            return self._retried()
        elif kind == zmq.EVENT_CLOSED:
            self._attempt_seen = True
            return self._news("refused", f"nobody answers at {self._endpoint}")
        elif kind == zmq.EVENT_DISCONNECTED:
            # After some errors ZeroMQ does not dial again by itself; if it does, it says so.
            self.redial_at = now + REDIAL
            self._attempt_seen = True
            return self._disconnected()
        elif kind & _FAILED:
            return self._failed(event)
        return None

    def redialled(self) -> LinkProblem:
        """Note that the connection is made anew; what was queued for the old one is lost."""
        self.redial_at = None
        return LinkProblem("lost", f"the connection to {self._endpoint} is being made anew")

    def moved(self, endpoint: str) -> LinkProblem:
        """Note that who is sought is elsewhere now; what was queued for the old place is lost."""
        self._endpoint, self._told, self.redial_at = endpoint, "", None
        return LinkProblem("lost", f"it is at {endpoint} now; dialling there")

    def _retried(self) -> LinkProblem | None:
        self.redial_at = None
        tried, self._attempt_seen = self._attempt_seen, False
        if tried:
            return None
        return self._news("refused", f"cannot reach {self._endpoint}: its name is not known here")

    def _disconnected(self) -> LinkProblem | None:
        if not self._stands:
            return None
        self._stands = False
        return self._news("lost", f"the connection to {self._endpoint} broke; dialling again")

    def _failed(self, event: Event) -> LinkProblem | None:
        self._broken_off += 1
        certain = event.kind != zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        if not certain and self._broken_off < _DOUBTS:
            return None
        return self._news(
            "key",
            f"cannot agree with {self._endpoint}: the key in the link is not that of the master "
            "there, or what listens there is no Concurrent master",
        )

    def _news(self, kind: str, text: str) -> LinkProblem | None:
        if text == self._told:
            return None
        self._told = text
        return LinkProblem(kind, text)


class Door:
    """What a server's monitor tells of connections that did not come about. Knows no messages.

    Args:
        endpoint: for the texts.
        address_of: tells who is at the other end of a file descriptor, empty if nobody knows.

    """

    def __init__(self, endpoint: str, address_of: Callable[[int], str] | None = None) -> None:
        self._endpoint = endpoint
        self._address_of = address_of or peer_address
        self._callers: dict[int, str] = {}
        self._failure = ""

    def feed(self, event: Event) -> LinkProblem | None:
        """Take an event; return the problem it means."""
        if event.kind == zmq.EVENT_ACCEPTED:
            self._callers[event.value] = self._address_of(event.value)
        elif event.kind & _FAILED:
            self._failure = _why(event)
        elif event.kind == zmq.EVENT_DISCONNECTED:
            caller = self._callers.pop(event.value, "")
            why, self._failure = self._failure, ""
            if why:
                who = f"a caller from {caller}" if caller else "a caller"
                return LinkProblem("key", f"{who} was turned away at {self._endpoint}: {why}")
        return None


class Complaints:
    """Problems of many callers, the same one told again only after a while, with its number.

    A caller with a wrong key dials ten times a second.
    """

    def __init__(self) -> None:
        self._open: dict[LinkProblem, int] = {}
        self._told: dict[LinkProblem, float] = {}

    def add(self, problem: LinkProblem) -> None:
        """Note a problem."""
        if problem in self._open or len(self._open) < _CALLERS:
            self._open[problem] = self._open.get(problem, 0) + 1

    def due(self, now: float) -> list[LinkProblem]:
        """Return what is to be told at a monotonic time in seconds."""
        if not self._open:
            return []
        for problem in [one for one, when in self._told.items() if now - when >= QUIET]:
            del self._told[problem]
        due = [problem for problem in self._open if problem not in self._told]
        found = []
        for problem in due:
            times = self._open.pop(problem)
            self._told[problem] = now
            more = f" ({times} times)" if times > 1 else ""
            found.append(LinkProblem(problem.kind, f"{problem.text}{more}"))
        return found


def peer_address(descriptor: int) -> str:
    """Return the address of the peer of a connected socket, empty if it is gone already."""
    try:
        with sockets.fromfd(descriptor, sockets.AF_INET, sockets.SOCK_STREAM) as connection:
            name = connection.getpeername()
    except OSError:
        return ""
    return str(name[0]) if isinstance(name, tuple) else ""


def _why(event: Event) -> str:
    if event.kind == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
        if event.value == _WRONG_KEY:
            return "the key it was given is not this master's"
        return "it does not speak this master's encrypted protocol"
    return "it broke off before it had introduced itself"
