"""The port: what a shell needs of a transport. It moves lists of frames and knows no messages."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

Peer = Hashable
"""Handle of one connection of a server. A peer that reconnects gets another handle."""


class Received(NamedTuple):
    """Frames from a peer; `local` if it came over the private endpoint of this machine."""

    peer: Peer
    local: bool
    frames: list[Any]


class LinkProblem(NamedTuple):
    """A connection that could not be made or was refused below the protocol.

    Args:
        kind: ``refused`` (nobody listens), ``key`` (the handshake failed: wrong public key or no
            Concurrent master), ``lost`` (an established connection broke; what was queued may be
            lost with it). A client goes on dialling after each of them.
        text: a sentence for people, with the endpoint.

    """

    kind: str
    text: str


class ServerTransport(Protocol):
    """The master's end: one bound endpoint or more, many peers."""

    def pollables(self) -> Sequence[Any]:
        """Return what to register with a zmq.Poller: sockets or file descriptors."""

    def receive(self, limit: int) -> list[Received]:
        """Return what has arrived, up to `limit` envelopes, without waiting."""

    def send(self, peer: Peer, frames: Sequence[Any]) -> bool:
        """Queue frames for a peer without waiting; False if it is gone or its queue is full."""

    def problems(self) -> list[LinkProblem]:
        """Return failed handshakes since the last call."""

    def close(self, linger: float) -> None:
        """Close, after up to `linger` seconds for what is queued."""


class ClientTransport(Protocol):
    """The end of everybody else: one connection that is renewed by itself when it breaks."""

    def pollables(self) -> Sequence[Any]:
        """Return what to register with a zmq.Poller: sockets or file descriptors."""

    def receive(self, limit: int) -> list[list[Any]]:
        """Return the frames of envelopes that have arrived, without waiting."""

    def send(self, frames: Sequence[Any]) -> bool:
        """Queue frames without waiting; False if the queue is full."""

    def problems(self) -> list[LinkProblem]:
        """Return what happened to the connection since the last call.

        Each trouble is told once, until the connection stands again or the trouble changes.
        """

    def close(self, linger: float) -> None:
        """Close, after up to `linger` seconds for what is queued."""
