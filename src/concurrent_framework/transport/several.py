"""Several servers as one: a private one of this machine, and others on the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.transport.base import Received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.transport.base import LinkProblem, Peer, ServerTransport


class Servers:
    """Serves by all of them; peers are told apart by the server they have come to.

    Args:
        private: the one whose peers may be local.
        public: those whose peers never are.

    """

    def __init__(self, private: ServerTransport, *public: ServerTransport) -> None:
        self._private = private
        self._all = (private, *public)

    def pollables(self) -> Sequence[Any]:
        """Return what to register with a zmq.Poller."""
        return [pollable for one in self._all for pollable in one.pollables()]

    def receive(self, limit: int) -> list[Received]:
        """Return what has arrived, up to `limit` envelopes from each."""
        return [
            Received((index, peer), local and server is self._private, frames)
            for index, server in enumerate(self._all)
            for peer, local, frames in server.receive(limit)
        ]

    def send(self, peer: Peer, frames: Sequence[Any]) -> bool:
        """Queue frames for a peer; False if it is gone or its queue is full."""
        assert isinstance(peer, tuple)
        index, inner = peer
        return self._all[index].send(inner, frames)

    def problems(self) -> list[LinkProblem]:
        """Return failed handshakes since the last call."""
        return [problem for one in self._all for problem in one.problems()]

    def close(self, linger: float) -> None:
        """Close all of them."""
        for one in self._all:
            one.close(linger)
