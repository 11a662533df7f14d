"""The port: what a shell needs of a transport. It moves lists of frames and knows no messages."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from concurrent_framework.components import Interface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.transport.curve import KeyPair

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


class PublicServer(ServerTransport, Protocol):
    """A server on the network. What comes from it is never taken for local."""

    @property
    def endpoint(self) -> str:
        """Where it is bound, ``scheme://host:port``."""


class WatchedClient(ClientTransport, Protocol):
    """A client that an event loop can watch."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when something happens."""

    def pending(self) -> bool:
        """Whether something has arrived. To be asked after each send and receive."""


class ITransport(Interface):
    """Carries envelopes between machines, in another way than ``tcp://``, which is built in.

    The component's name is the scheme of its endpoints: `concurrent master --listen NAME://HOST:PORT`
    serves by it, and the links that this prints lead to it. It has to encrypt what it carries, and to
    know the master by its key; tokens are looked at above it. Its package must be installed on
    whatever joins. Nodes of one machine talk as ever.
    """

    def serve(self, endpoint: str, keys: KeyPair) -> PublicServer:
        """Bind to ``scheme://host:port``, a port ``*`` being any free one.

        Raises:
            UsageError: the endpoint is taken or malformed.

        """

    def connect(self, endpoint: str, server_key: str) -> WatchedClient:
        """Begin to connect to a master that has this public key; never wait."""
