"""The in-memory twin of the ZeroMQ transport: same contract, one process, no network.

For tests of shells and for simulations. Peers may live in other threads.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.transport.base import LinkProblem, Received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.transport.base import Peer

COPY_LIMIT = 64 * 1024
"""Frames up to this many bytes arrive as bytes, larger ones as memoryviews."""


class MemoryServer:
    """The master's end. Clients are made by `connect`.

    Args:
        queue: envelopes that wait in each direction of one connection at most.

    Example:
        >>> server = MemoryServer()
        >>> client = server.connect()
        >>> client.send([b"hello"])
        True
        >>> [(peer, local, frames)] = server.receive(10)
        >>> server.send(peer, [b"welcome"])
        True
        >>> client.receive(10)
        [[b'welcome']]

    """

    def __init__(self, queue: int = 1000) -> None:
        self.queue = queue
        self.lock = threading.RLock()
        self.inbox: deque[Received] = deque()
        self.bell = _Bell()
        self._clients: dict[Peer, MemoryClient] = {}
        self._connections = 0

    def connect(self, *, local: bool = True) -> MemoryClient:
        """Return a new client; `local` tells how the server is to see it."""
        return MemoryClient(self, local=local)

    def admit(self, client: MemoryClient) -> Peer:
        """Give a client's new connection its handle."""
        with self.lock:
            self._connections += 1
            peer = f"memory-{self._connections}"
            self._clients[peer] = client
            return peer

    def forget(self, peer: Peer) -> None:
        """Forget a connection; what came over it stays."""
        with self.lock:
            self._clients.pop(peer, None)

    def dismiss(self, peer: Peer) -> None:
        """Forget a connection and what came over it."""
        with self.lock:
            self.forget(peer)
            kept = [one for one in self.inbox if one.peer != peer]
            self.inbox.clear()
            self.inbox.extend(kept)
            self.bell.set(waiting=bool(self.inbox))

    def pollables(self) -> Sequence[Any]:
        """Return the descriptor to register with a poller."""
        return [self.bell.fileno(waiting=bool(self.inbox))]

    def filenos(self) -> tuple[int, ...]:
        """Return the descriptor for an event loop."""
        return (self.bell.fileno(waiting=bool(self.inbox)),)

    def pending(self) -> bool:
        """Whether `receive` would return something."""
        return bool(self.inbox)

    def receive(self, limit: int) -> list[Received]:
        """Return what has arrived, up to `limit` envelopes."""
        with self.lock:
            found = [self.inbox.popleft() for _ in range(min(limit, len(self.inbox)))]
            for one in found:
                client = self._clients.get(one.peer)
                if client is not None:
                    client.under_way -= 1
            self.bell.set(waiting=bool(self.inbox))
            return found

    def send(self, peer: Peer, frames: Sequence[Any]) -> bool:
        """Queue frames for a peer; False if it is gone or its queue is full."""
        with self.lock:
            client = self._clients.get(peer)
            return client is not None and client.deliver(frames)

    def problems(self) -> list[LinkProblem]:
        """Return nothing: there are no handshakes."""
        return []

    def close(self, linger: float) -> None:
        """Close; every client is told that its connection broke."""
        del linger
        with self.lock:
            for client in list(self._clients.values()):
                client.server_gone()
            self._clients.clear()
            self.bell.close()


class MemoryClient:
    """The end of everybody else; made by `MemoryServer.connect`."""

    def __init__(self, server: MemoryServer, *, local: bool) -> None:
        self.under_way = 0
        self._server = server
        self._local = local
        self._inbox: deque[list[Any]] = deque()
        self._problems: list[LinkProblem] = []
        self._bell = _Bell()
        self._peer: Peer | None = server.admit(self)

    def pollables(self) -> Sequence[Any]:
        """Return the descriptor to register with a poller."""
        return [self.fileno()]

    def fileno(self) -> int:
        """Return the descriptor for an event loop."""
        return self._bell.fileno(waiting=self.pending())

    def filenos(self) -> tuple[int, ...]:
        """Return the descriptor for an event loop, as the only one."""
        return (self.fileno(),)

    def pending(self) -> bool:
        """Whether `receive` or `problems` would return something."""
        return bool(self._inbox or self._problems)

    def receive(self, limit: int) -> list[list[Any]]:
        """Return the frames of up to `limit` envelopes that have arrived."""
        with self._server.lock:
            found = [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]
            self._bell.set(waiting=self.pending())
            return found

    def send(self, frames: Sequence[Any]) -> bool:
        """Queue frames; False if the queue is full or the server has closed."""
        server = self._server
        with server.lock:
            if self._peer is None or self.under_way >= server.queue:
                return False
            self.under_way += 1
            server.inbox.append(Received(self._peer, self._local, _carried(frames)))
            server.bell.set(waiting=True)
            return True

    def problems(self) -> list[LinkProblem]:
        """Return what happened to the connection since the last call."""
        with self._server.lock:
            found, self._problems = self._problems, []
            self._bell.set(waiting=self.pending())
            return found

    def deliver(self, frames: Sequence[Any]) -> bool:
        """Take frames from the server; False if the queue is full."""
        if len(self._inbox) >= self._server.queue:
            return False
        self._inbox.append(_carried(frames))
        self._bell.set(waiting=True)
        return True

    def server_gone(self) -> None:
        """Learn that the server has closed."""
        self._peer = None
        self._trouble(LinkProblem("lost", "the connection in memory broke"))

    def break_off(self) -> None:
        """Break the connection and make it anew, as after a cut: what was under way is lost."""
        with self._server.lock:
            if self._peer is None:
                return
            self._server.dismiss(self._peer)
            self._inbox.clear()
            self.under_way = 0
            self._peer = self._server.admit(self)
            self._trouble(LinkProblem("lost", "the connection in memory broke"))

    def close(self, linger: float) -> None:
        """Close; what was sent before still arrives if `linger` is positive."""
        with self._server.lock:
            if self._peer is not None:
                if linger <= 0:
                    self._server.dismiss(self._peer)
                self._server.forget(self._peer)
                self._peer = None
            self._bell.close()

    def _trouble(self, problem: LinkProblem) -> None:
        self._problems.append(problem)
        self._bell.set(waiting=True)


class _Bell:
    """A descriptor that is readable while something waits. Made only when somebody asks for it."""

    def __init__(self) -> None:
        self._pair: tuple[socket.socket, socket.socket] | None = None
        self._rung = False

    def fileno(self, *, waiting: bool) -> int:
        if self._pair is None:
            self._pair = socket.socketpair()
            self._rung = False
            self.set(waiting=waiting)
        return self._pair[0].fileno()

    def set(self, *, waiting: bool) -> None:
        if self._pair is None or waiting == self._rung:
            return
        self._rung = waiting
        if waiting:
            self._pair[1].send(b"!")
        else:
            self._pair[0].recv(1)

    def close(self) -> None:
        if self._pair is not None:
            for end in self._pair:
                end.close()
            self._pair = None


def _carried(frames: Sequence[Any]) -> list[Any]:
    """Return frames as they arrive: small ones as bytes, large ones as memoryviews."""
    return [
        bytes(frame) if len(frame) <= COPY_LIMIT else memoryview(frame).cast("B")
        for frame in frames
    ]
