"""ZeroMQ below the port: the master's ROUTERs and everybody else's DEALER.

For event loops: `filenos` are edge-triggered. A descriptor becomes readable once when something
arrives, and not again before everything has been taken; sending may swallow the signal as well. So
receive as long as `pending` says so: once after registering, when a descriptor is readable, and
after each send. A zmq.Poller over `pollables` needs none of this.

A cut network is noticed by the kernel (keep-alive probes and a limit on unacknowledged data), not by
ZeroMQ's heartbeats: those wait behind a large frame and would break a slow connection in use.
"""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq
from zmq import Again

from concurrent_framework.model.errors import UsageError
from concurrent_framework.transport.badges import BADGE_LENGTH, DOMAIN, Badges, badge_of
from concurrent_framework.transport.base import LinkProblem, Received
from concurrent_framework.transport.binding import (
    bind_ipc,
    bind_tcp,
    check_ipc_path,
    release_ipc,
)
from concurrent_framework.transport.curve import KeyPair, is_key, new_keys
from concurrent_framework.transport.framing import (
    MORE,
    NO_COPY,
    NOBLOCK,
    STANDARD,
    Tuning,
    put,
    readable,
    take,
    tune_local,
)
from concurrent_framework.transport.plumbing import Plumbing
from concurrent_framework.transport.watching import (
    CLIENT_EVENTS,
    SERVER_EVENTS,
    Complaints,
    Dialling,
    Door,
    Monitor,
    Signals,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.transport.base import Peer

_BACKLOG = 1024
"""Nodes that may call at the same moment, as all do when a master comes back."""


class ZmqServer:
    """The master's end: a private ipc endpoint, an encrypted TCP endpoint, or both.

    Args:
        ipc: path of the Unix socket, in an existing directory with mode 0700.
        tcp: ``tcp://host:port``; needs `keys`.
        keys: the master's key pair.
        tuning: limits.

    Raises:
        UsageError: an endpoint is taken, malformed or open to others.

    Example:
        ::

            server = ZmqServer(tcp="tcp://127.0.0.1:*", keys=new_keys())
            print(server.tcp_endpoint)
            for peer, local, frames in server.receive(100):
                server.send(peer, frames)
            server.close(0)

    """

    def __init__(
        self,
        ipc: Path | str | None = None,
        tcp: str | None = None,
        keys: KeyPair | None = None,
        tuning: Tuning = STANDARD,
    ) -> None:
        self._plumbing = Plumbing(self)
        self._ends: list[_End] = []
        self._badges: Badges | None = None
        self._ipc_path: Path | None = None
        self._complaints = Complaints()
        self.ipc_endpoint = ""
        self.tcp_endpoint = ""
        try:
            if ipc is not None:
                self.ipc_endpoint = self._open_local(Path(ipc), tuning)
            if tcp is not None:
                self.tcp_endpoint = self._open_remote(tcp, keys, tuning)
        except BaseException:
            self.close(0)
            raise
        self._sockets = [end.socket for end in self._ends]
        self._signals = Signals(self._seldom_used())

    def pollables(self) -> Sequence[Any]:
        """Return the sockets and descriptors to register with a zmq.Poller."""
        return [*self._sockets, *self._signals.filenos]

    def filenos(self) -> tuple[int, ...]:
        """Return the descriptors for an event loop; see the module about their edge."""
        own = (int(socket.getsockopt(zmq.FD)) for socket in self._sockets)
        return (*own, *self._signals.filenos)

    def pending(self) -> bool:
        """Whether `receive` would return something."""
        self._attend()
        return any(readable(socket) for socket in self._sockets)

    def receive(self, limit: int) -> list[Received]:
        """Return what has arrived, up to `limit` envelopes, without waiting.

        Frames over `COPY_LIMIT` bytes are memoryviews of the transport's memory.
        """
        self._attend()
        received: list[Received] = []
        for end in self._ends:
            end.drain(received, limit)
        # Each endpoint has the first turn now and then: a flood of one cannot starve the other.
        self._ends.reverse()
        return received

    def send(self, peer: Peer, frames: Sequence[Any]) -> bool:
        """Queue frames for a peer without waiting; False if it is gone or its queue is full.

        The memory of frames over `COPY_LIMIT` bytes is shared: it must not change afterwards.
        """
        assert isinstance(peer, bytes)
        socket = self._sockets[-1] if len(peer) > BADGE_LENGTH else self._sockets[0]
        identity = peer[:-BADGE_LENGTH] if len(peer) > BADGE_LENGTH else peer
        try:
            socket.send(identity, MORE)
            put(socket.send, frames)
        except zmq.ZMQError as error:
            if error.errno in {zmq.EHOSTUNREACH, zmq.EAGAIN}:
                return False
            raise
        return True

    def problems(self) -> list[LinkProblem]:
        """Return callers that were turned away, each trouble once a minute at most."""
        self._attend()
        return self._complaints.due(time.monotonic())

    def close(self, linger: float) -> None:
        """Close, after up to `linger` seconds for what is queued. Closing again does nothing.

        What was handed to the kernel by then is not certain to be read by the peer.
        """
        if self._plumbing.close(linger) and self._ipc_path is not None:
            release_ipc(self._ipc_path)

    def _open_local(self, path: Path, tuning: Tuning) -> str:
        end = self._add_end(f"ipc://{path}", tuning, local=True)
        tune_local(end.socket)
        endpoint = bind_ipc(end.socket, path)
        self._ipc_path = path
        return endpoint

    def _open_remote(self, endpoint: str, keys: KeyPair | None, tuning: Tuning) -> str:
        if keys is None:
            message = "a TCP endpoint needs keys"
            raise ValueError(message)
        self._badges = Badges(self._plumbing)
        end = self._add_end(endpoint, tuning, local=False)
        end.socket.setsockopt(zmq.CURVE_SERVER, 1)
        end.socket.setsockopt_string(zmq.CURVE_PUBLICKEY, keys.public)
        end.socket.setsockopt_string(zmq.CURVE_SECRETKEY, keys.secret)
        end.socket.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
        return bind_tcp(end.socket, endpoint)

    def _add_end(self, endpoint: str, tuning: Tuning, *, local: bool) -> _End:
        socket = self._plumbing.socket(zmq.ROUTER, tuning)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.BACKLOG, _BACKLOG)
        monitor = self._plumbing.watch(socket, SERVER_EVENTS)
        end = _End(socket, monitor, Door(endpoint), local=local)
        self._ends.append(end)
        return end

    def _seldom_used(self) -> list[zmq.Socket[bytes]]:
        sockets = [end.monitor.socket for end in self._ends]
        return sockets if self._badges is None else [*sockets, self._badges.socket]

    def _attend(self) -> None:
        """Answer new connections and note failed ones."""
        if not self._signals.any():
            return
        if self._badges is not None:
            self._badges.give()
        for end in self._ends:
            for event in end.monitor.events():
                problem = end.door.feed(event)
                # On the private endpoint only probes of this user break off.
                if problem is not None and not end.local:
                    self._complaints.add(problem)


class ZmqClient:
    """The end of everybody else: one connection that is renewed by itself when it breaks.

    Args:
        endpoint: ``ipc:///path`` or ``tcp://host:port``.
        server_key: the master's public key; empty for ipc.
        tuning: limits.
        whereabouts: asked for the endpoint when nobody answers: who is sought may be elsewhere by
            then. Empty if that is not known. None if it stays where it is.

    Raises:
        UsageError: the endpoint or the key is malformed.

    Example:
        ::

            client = ZmqClient("tcp://127.0.0.1:8081", server_key=keys.public)
            client.send([b"hello"])
            client.close(1.0)

    """

    def __init__(
        self,
        endpoint: str,
        server_key: str = "",
        tuning: Tuning = STANDARD,
        whereabouts: Callable[[], str] | None = None,
    ) -> None:
        _check_target(endpoint, server_key)
        self._endpoint = endpoint
        self._whereabouts = whereabouts
        self._plumbing = Plumbing(self)
        self._socket = self._plumbing.socket(zmq.DEALER, tuning)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 100)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
        self._socket.setsockopt(zmq.CONNECT_TIMEOUT, 3000)
        if endpoint.startswith("ipc://"):
            tune_local(self._socket)
        if endpoint.startswith("tcp://["):
            self._socket.setsockopt(zmq.IPV6, 1)
        if server_key:
            keys = new_keys()
            self._socket.setsockopt_string(zmq.CURVE_SERVERKEY, server_key)
            self._socket.setsockopt_string(zmq.CURVE_PUBLICKEY, keys.public)
            self._socket.setsockopt_string(zmq.CURVE_SECRETKEY, keys.secret)
        self._monitor = self._plumbing.watch(self._socket, CLIENT_EVENTS)
        self._signals = Signals([self._monitor.socket])
        self._dialling = Dialling(endpoint)
        self._problems: list[LinkProblem] = []
        self._dial()

    def pollables(self) -> Sequence[Any]:
        """Return the socket and the descriptor to register with a zmq.Poller."""
        return [self._socket, *self._signals.filenos]

    def fileno(self) -> int:
        """Return the descriptor of the messages for an event loop; see the module about its edge."""
        return int(self._socket.getsockopt(zmq.FD))

    def filenos(self) -> tuple[int, ...]:
        """Return the descriptors of the messages and of the problems."""
        return (self.fileno(), *self._signals.filenos)

    def pending(self) -> bool:
        """Whether `receive` or `problems` would return something."""
        self._attend()
        return bool(self._problems) or readable(self._socket)

    def receive(self, limit: int) -> list[list[Any]]:
        """Return the frames of up to `limit` envelopes that have arrived, without waiting.

        Frames over `COPY_LIMIT` bytes are memoryviews of the transport's memory.
        """
        self._attend()
        received: list[list[Any]] = []
        receive = self._socket.recv
        try:
            while len(received) < limit:
                frame = receive(NOBLOCK, NO_COPY)
                received.append(take(frame, receive))
        except Again:
            pass
        return received

    def send(self, frames: Sequence[Any]) -> bool:
        """Queue frames without waiting; False if the queue is full.

        The memory of frames over `COPY_LIMIT` bytes is shared: it must not change afterwards.
        """
        try:
            put(self._socket.send, frames)
        except Again:
            return False
        return True

    def problems(self) -> list[LinkProblem]:
        """Return what happened to the connection since the last call, each trouble once."""
        self._attend()
        found = self._problems
        self._problems = []
        return found

    def close(self, linger: float) -> None:
        """Close, after up to `linger` seconds for what is queued. Closing again does nothing."""
        self._plumbing.close(linger)

    def _attend(self) -> None:
        if self._signals.any():
            now = time.monotonic()
            for event in self._monitor.events():
                problem = self._dialling.feed(event, now)
                if problem is not None:
                    self._problems.append(problem)
                if event.kind == zmq.EVENT_CLOSED and self._whereabouts is not None:
                    self._follow(self._whereabouts())
        due = self._dialling.redial_at
        if due is not None and time.monotonic() >= due:
            self._problems.append(self._dialling.redialled())
            self._redial(self._endpoint)

    def _follow(self, endpoint: str) -> None:
        if endpoint not in {"", self._endpoint}:
            self._problems.append(self._dialling.moved(endpoint))
            self._redial(endpoint)

    def _dial(self) -> None:
        try:
            self._socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            self.close(0)
            message = f"cannot connect to {self._endpoint}: {error.strerror}"
            raise UsageError(message) from error

    def _redial(self, endpoint: str) -> None:
        """Connect anew: elsewhere, or where ZeroMQ has given up, as it does after odd answers."""
        try:
            self._socket.disconnect(self._endpoint)
        except zmq.ZMQError as error:
            if error.errno != errno.ENOENT:
                raise
        self._endpoint = endpoint
        self._dial()


class _End:
    """One endpoint of a server."""

    def __init__(
        self, socket: zmq.Socket[bytes], monitor: Monitor, door: Door, *, local: bool
    ) -> None:
        self.socket = socket
        self.monitor = monitor
        self.door = door
        self.local = local

    def drain(self, received: list[Received], limit: int) -> None:
        receive: Callable[..., Any] = self.socket.recv
        append = received.append
        local = self.local
        try:
            while len(received) < limit:
                peer = receive(NOBLOCK)
                frame = receive(NOBLOCK, NO_COPY)
                if not local:
                    peer += badge_of(frame)
                append(Received(peer, local, take(frame, receive)))
        except Again:
            pass


def _check_target(endpoint: str, server_key: str) -> None:
    if endpoint.startswith("ipc://"):
        check_ipc_path(Path(endpoint.removeprefix("ipc://")))
        return
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    if not endpoint.startswith("tcp://") or not host or not port.isdecimal():
        message = f"{endpoint!r} is no endpoint: expected tcp://HOST:PORT or ipc:///PATH"
        raise UsageError(message)
    if not is_key(server_key):
        message = f"the key for {endpoint} is no public key: copy the master's link again, whole"
        raise UsageError(message)
