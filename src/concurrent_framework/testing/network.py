"""A network on a fake clock: late, lossy, cut and mended as a test wants it, the same for each seed."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from concurrent_framework.transport.base import LinkProblem, Received

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.testing.clock import FakeClock
    from concurrent_framework.transport.base import Peer

LATENCY = 0.0001
"""Seconds an envelope takes, as over a local socket."""


class Faults:
    """What the network does wrong, by chance but the same for each seed.

    Args:
        seed: what decides.
        loss: probability that an envelope is lost.
        duplication: probability that one arrives twice.
        jitter: seconds by which an envelope may be late, so that a later one overtakes it.
        gathering: seconds for which the master may be busy, so that several arrive in one round.

    Attributes:
        happened: how often what went wrong, over all parts of the cluster.

    """

    def __init__(
        self,
        seed: int = 0,
        loss: float = 0.0,
        duplication: float = 0.0,
        jitter: float = 0.0,
        gathering: float = 0.0,
    ) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (not for secrets)
        self.loss = loss
        self.duplication = duplication
        self.jitter = jitter
        self.gathering = gathering
        self.happened: Counter[str] = Counter()

    def delays(self) -> list[float]:
        """Return by how much the next envelope is late, once for each time that it arrives."""
        if self.loss and self.chance.random() < self.loss:
            self.happened["message lost"] += 1
            return []
        times = 1
        if self.duplication and self.chance.random() < self.duplication:
            self.happened["message repeated"] += 1
            times = 2
        if not self.jitter:
            return [0.0] * times
        self.happened["message late"] += 1
        return [self.chance.random() * self.jitter for _ in range(times)]


class SimServer:
    """The master's transport. `arrived` is called when there is something to receive."""

    def __init__(self, clock: FakeClock, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self.arrived: Callable[[], None] = lambda: None
        self.clients: dict[Peer, SimClient] = {}
        self.up = True
        self._inbox: list[Received] = []
        self._latest: dict[tuple[Peer, bool], float] = {}

    def carry(self, way: tuple[Peer, bool], deliver: Callable[[], None]) -> None:
        """Have something arrive when the network brings it, if it does.

        Args:
            way: the connection, and whether it goes to the master.
            deliver: what happens then.

        """
        for delay in self.faults.delays():
            time = self.clock.now + LATENCY + delay
            if time < self._latest.get(way, 0.0):
                self.faults.happened["message overtaken"] += 1
            else:
                self._latest[way] = time
            self.clock.at(time, deliver)

    def take(self, peer: Peer, frames: list[Any]) -> None:
        """Take in an envelope."""
        if not self.up:
            return
        self._inbox.append(Received(peer, local=True, frames=frames))
        if not self.faults.gathering:
            self.arrived()
        elif len(self._inbox) == 1:
            busy = self.faults.chance.random() * self.faults.gathering
            self.clock.at(self.clock.now + busy, self.arrived)

    def crash(self) -> None:
        """Be gone, with every connection and all that was on its way."""
        self.up = False
        self._inbox.clear()
        self._latest.clear()
        clients, self.clients = self.clients, {}
        for client in clients.values():
            if client.up:
                client.connect()

    def pollables(self) -> Sequence[Any]:
        """Return nothing: time is simulated."""
        return ()

    def receive(self, limit: int) -> list[Received]:
        """Return what has arrived."""
        taken, self._inbox = self._inbox[:limit], self._inbox[limit:]
        return taken

    def send(self, peer: Peer, frames: Sequence[Any]) -> bool:
        """Send to a client, if that connection still is its present one."""
        client = self.clients.get(peer)
        if client is None or client.peer != peer or not client.up:
            return False
        client.received_count += 1
        self.carry((peer, False), lambda: client.take(peer, list(frames)))
        return True

    def problems(self) -> list[LinkProblem]:
        """Return nothing: handshakes are not simulated."""
        return []

    def close(self, linger: float) -> None:
        """Do nothing."""


class SimClient:
    """A node's transport. `arrived` is called when there is something to receive."""

    def __init__(self, server: SimServer, name: str) -> None:
        self.up = self.hears = self.speaks = True
        self.arrived: Callable[[], None] = lambda: None
        self.sent_count = 0
        self.received_count = 0
        self._server = server
        self._name = name
        self._connections = 0
        self._inbox: list[list[Any]] = []
        self.connect()

    def connect(self) -> None:
        """Connect, or connect again: the master sees another peer, as with ZeroMQ."""
        self._connections += 1
        self.up = self.hears = self.speaks = True
        self.peer: Peer = f"{self._name}#{self._connections}"
        self._server.clients[self.peer] = self

    def take(self, peer: Peer, frames: list[Any]) -> None:
        """Take in an envelope, if it came over the present connection."""
        if self.up and self.hears and peer == self.peer:
            self._inbox.append(frames)
            self.arrived()
        elif not (self.up and self.hears):
            way = "cut both ways" if not self.up else "cut from the master"
            self._server.faults.happened[way] += 1

    def pollables(self) -> Sequence[Any]:
        """Return nothing: time is simulated."""
        return ()

    def fileno(self) -> int:
        """Return no descriptor: time is simulated."""
        return -1

    def pending(self) -> bool:
        """Whether something has arrived."""
        return bool(self._inbox)

    def receive(self, limit: int) -> list[list[Any]]:
        """Return what has arrived."""
        taken, self._inbox = self._inbox[:limit], self._inbox[limit:]
        return taken

    def send(self, frames: Sequence[Any]) -> bool:
        """Send to the master; what is sent while the network is cut is lost."""
        if self.up and self.speaks:
            self.sent_count += 1
            peer = self.peer
            self._server.carry((peer, True), lambda: self._arrive(peer, list(frames)))
        else:
            way = "cut both ways" if not self.up else "cut to the master"
            self._server.faults.happened[way] += 1
        return True

    def _arrive(self, peer: Peer, frames: list[Any]) -> None:
        if self.up and peer == self.peer:
            self._server.take(peer, frames)

    def problems(self) -> list[LinkProblem]:
        """Return nothing: handshakes are not simulated."""
        return []

    def close(self, _linger: float) -> None:
        """Be gone."""
        self.up = False
