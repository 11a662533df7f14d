"""Letting encrypted connections in, each with a name of its own that its peer cannot choose."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import zmq
from zmq import Again

from concurrent_framework.transport.framing import NOBLOCK, STANDARD

if TYPE_CHECKING:
    from concurrent_framework.transport.plumbing import Plumbing

BADGE_LENGTH = 12
"""Characters of a badge."""
DOMAIN = "concurrent"


class Badges:
    """Answers ZeroMQ's question whether a connection may come in: yes, and this is its badge.

    A peer may choose its routing id. Without the badge, a stranger could take that of a peer whose
    connection broke, and with it what that peer was allowed to do. Whether a peer may do anything
    at all is decided above, by the token it shows.

    Has to exist before the socket that it serves is bound.
    """

    def __init__(self, plumbing: Plumbing) -> None:
        _scatter_routing_ids()
        self.socket = plumbing.socket(zmq.ROUTER, STANDARD)
        self.socket.bind("inproc://zeromq.zap.01")
        self._given = 0

    def give(self) -> None:
        """Answer everybody who waits."""
        try:
            while True:
                request = self.socket.recv_multipart(NOBLOCK)
                border = request.index(b"") + 1
                version, number = request[border : border + 2]
                self._given += 1
                badge = b"%0*x" % (BADGE_LENGTH, self._given)
                reply = [*request[:border], version, number, b"200", b"OK", badge, b""]
                self.socket.send_multipart(reply, NOBLOCK)
        except Again:
            return


def badge_of(frame: Any) -> bytes:
    """Return the badge of the connection that a frame came over."""
    return str(frame.get("User-Id")).encode()


def _scatter_routing_ids() -> None:
    """Make the routing ids that ZeroMQ gives to peers unpredictable.

    It counts them up from a number of C's ``rand``, the same one in each process, and ends the
    process when a peer has chosen the id that is next.
    """
    if os.name == "posix":
        import ctypes

        ctypes.CDLL(None).srand(int.from_bytes(os.urandom(4), "little"))
