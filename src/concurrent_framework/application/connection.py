"""Where the master is and how to get in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.transport.base import WatchedClient


class Foundation(Protocol):
    """Processes without which a connection is worth nothing, and which nobody would start again."""

    def filenos(self) -> Sequence[int]:
        """Return descriptors of which one becomes readable when one of the processes ends."""

    def failure(self) -> str:
        """Return which one has ended, as a sentence."""


@dataclass(frozen=True)
class Connection:
    """How an application reaches its master.

    Args:
        endpoint: ``ipc://…`` or ``tcp://host:port``.
        server_key: the master's public key, empty for ``ipc://``.
        token: proof that the application may submit, empty for a private ``ipc://`` endpoint.
        transport: makes the transport; None for ZeroMQ. For tests and other wires.
        foundation: what the master stands on, if that is this program's; None otherwise.
        whereabouts: says where the master is when nobody answers any more; empty while it does not
            run. None if it is where it was.

    """

    endpoint: str
    server_key: str = ""
    token: str = field(default="", repr=False)
    transport: Callable[[], WatchedClient] | None = None
    foundation: Foundation | None = None
    whereabouts: Callable[[], str] | None = None

    def open(self) -> WatchedClient:
        """Start connecting; never waits."""
        if self.transport is not None:
            return self.transport()
        from concurrent_framework.transport.zmq import ZmqClient

        return ZmqClient(self.endpoint, server_key=self.server_key, whereabouts=self.whereabouts)
