"""Both ends of each transport, so that one suite can hold for all of them."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from concurrent_framework.transport.curve import new_keys
from concurrent_framework.transport.framing import STANDARD, Tuning
from concurrent_framework.transport.memory import MemoryServer
from concurrent_framework.transport.zmq import ZmqClient, ZmqServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.transport.base import LinkProblem, Received

PATIENCE = 20.0
"""Seconds after which something that never comes is a failure. Nothing waits that long."""


class Wire:
    """A server and its clients over one kind of transport."""

    def __init__(self, kind: str, tuning: Tuning = STANDARD) -> None:
        self.kind = kind
        self.tuning = tuning
        # Paths of sockets are short; pytest's own directories may be too long.
        self.directory = Path(tempfile.mkdtemp(prefix="wire-"))
        self.keys = new_keys()
        self.local = kind != "tcp"
        self.clients: list[Any] = []
        self.server: Any = self.open_server()

    def open_server(self, endpoint: str = "tcp://127.0.0.1:*") -> Any:
        if self.kind == "memory":
            return MemoryServer(self.tuning.queue)
        if self.kind == "ipc":
            return ZmqServer(ipc=self.directory / "m", tuning=self.tuning)
        return ZmqServer(tcp=endpoint, keys=self.keys, tuning=self.tuning)

    def connect(self) -> Any:
        client: Any
        if self.kind == "memory":
            client = self.server.connect()
        elif self.kind == "ipc":
            client = ZmqClient(self.server.ipc_endpoint, tuning=self.tuning)
        else:
            client = ZmqClient(self.server.tcp_endpoint, self.keys.public, tuning=self.tuning)
        self.clients.append(client)
        return client

    def close(self) -> None:
        for client in self.clients:
            client.close(0)
        self.server.close(0)
        shutil.rmtree(self.directory)

    def at_server(self, count: int = 1) -> list[Received]:
        """Wait until the server has so many envelopes."""
        got: list[Received] = []

        def take() -> bool:
            got.extend(self.server.receive(count - len(got)))
            return len(got) >= count

        until(take, self.server)
        return got

    def at_client(self, client: Any, count: int = 1) -> list[list[Any]]:
        """Wait until a client has so many envelopes; the server keeps its doors meanwhile."""
        got: list[list[Any]] = []

        def take() -> bool:
            got.extend(client.receive(count - len(got)))
            return len(got) >= count

        until(take, client, self.server)
        return got

    def introduced(self) -> tuple[Any, Any]:
        """Return a new client and the handle it has at the server."""
        client = self.connect()
        assert client.send([b"hello"])
        return client, self.at_server()[0].peer

    def trouble(self, client: Any, kind: str) -> LinkProblem:
        """Wait until a client reports a problem of this kind."""
        return trouble(client, kind, self.server)


def until(condition: Callable[[], bool], *ends: Any) -> None:
    """Wait until a condition holds, looking whenever something happens at one of the ends."""
    poller = zmq.Poller()
    for end in ends:
        for pollable in end.pollables():
            poller.register(pollable, zmq.POLLIN)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        poller.poll(50)


def trouble(client: Any, kind: str, *others: Any) -> LinkProblem:
    found: list[LinkProblem] = []

    def look() -> bool:
        for other in others:
            if isinstance(other, ZmqServer):
                other.pending()
        found.extend(problem for problem in client.problems() if problem.kind == kind)
        return bool(found)

    until(look, client, *others)
    return found[0]
