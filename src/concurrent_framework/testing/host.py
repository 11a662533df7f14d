"""System hosts in a simulated cluster: real task systems on the fake clock, to be killed at any time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.channel import Channel
from concurrent_framework.application.connection import Connection
from concurrent_framework.application.host import Host
from concurrent_framework.testing.nodes import SimNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.application.system_run import SystemRun
    from concurrent_framework.testing.cluster import SimCluster

FORK_SECONDS = 0.002


class SimHosts:
    """Runs the hosts that a cluster's master asks for.

    Args:
        cluster: its master starts hosts from now on.

    """

    def __init__(self, cluster: SimCluster) -> None:
        self.running: dict[str, SimHost] = cluster.hosts
        self.begun = 0
        self._cluster = cluster
        cluster.start_host = self._start

    def kill(self) -> bool:
        """Kill a host, as by SIGKILL; False if there is none."""
        for name, host in self.running.items():
            host.abandon()
            self._cluster.host_ended(name)
            return True
        return False

    def _start(self, name: str) -> None:
        life = self._cluster.lives
        self._cluster.clock.at(
            self._cluster.clock.now + FORK_SECONDS, lambda: self._begin(name, life)
        )

    def _begin(self, name: str, life: int) -> None:
        if life == self._cluster.lives and self._cluster.alive:
            self.begun += 1
            self.running[name] = SimHost(self._cluster, name)


class SimHost(SimNode):
    """A host whose engine runs on the fake clock. Asynchronous callbacks must not really wait."""

    kind = "host"

    def __init__(self, cluster: SimCluster, name: str) -> None:
        super().__init__(cluster, name)
        self._channel = Channel(self.link, self.clock)
        self._queue: deque[do.Command] = deque()
        self._due: float | None = None
        self._soon: set[Callable[[], None]] = set()
        self._host = Host(Connection("simulated", transport=lambda: self.link), name, None)
        self._host.engine = self  # type: ignore[assignment]
        self.handle(on.Started())

    def abandon(self) -> None:
        """End at once."""
        self.kill()

    @property
    def system(self) -> SystemRun:
        """The task system at work."""
        run = self._host._running  # noqa: SLF001 (nobody else asks for it)
        assert run is not None
        return run

    # What a host and its system use of an engine.

    def clock(self) -> float:
        """Return the virtual time."""
        return self.now

    def handle(self, *events: on.Event) -> None:
        """Pass events to the session and do what it says."""
        for command in self._host.session.handle(events, self.clock()):
            if isinstance(command, do.Send):
                self._channel.send(command.messages)
            elif not isinstance(command, do.End) and not self._host.at_once(command):
                self.post(command)
        if self._host.eager:
            self.feed_soon()
        due = self._host.session.deadline()
        if due != self._due:
            self._due = due
            self.tick_at(due, lambda: self._tick(due))

    def post(self, command: do.Command) -> None:
        """Have the host called for this."""
        self._queue.append(command)
        self._call_soon(self._work)

    def post_later(self, seconds: float, command: do.Command) -> None:
        """Have the host called for this after a while."""
        self.tick_at(self.clock() + seconds, lambda: self.post(command))

    def flush_soon(self) -> None:
        """Let what was pushed leave."""
        self._call_soon(self._flush)

    def feed_soon(self) -> None:
        """Draw from what is drawn lazily."""
        self._call_soon(self._feed)

    # The loop.

    def take(self) -> None:
        """Take in what has arrived from the master."""
        self.handle(*self._channel.receive())

    def _call_soon(self, function: Callable[[], None]) -> None:
        def call() -> None:
            self._soon.discard(function)
            function()

        if function not in self._soon:
            self._soon.add(function)
            self.tick_at(self.clock(), call)

    def _work(self) -> None:
        while self._queue:
            self._drive(self._host.call(self._queue.popleft()))
            self._flush()
        self._feed()
        outbox = self._host.session.outbox
        if self._host.ready and not (outbox.outstanding or outbox.unhandled or self._host.hungry):
            self._drive(self._host.idle())
            self._flush()

    def _drive(self, callback: Any) -> None:
        try:
            if callback is not None:
                callback.send(None)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 (the system's)
            self._host.crashed(error)
            return
        assert callback is None, "a callback waits in a simulation"

    def _feed(self) -> None:
        session = self._host.session
        if self._host.eager and session.online and (room := session.outbox.room):
            self._host.feed(room)
            self._flush()

    def _flush(self) -> None:
        self.handle(on.Flush())

    def _tick(self, due: float | None) -> None:
        if due == self._due:
            self.wake()

    def wake(self) -> None:
        """Look at the clock."""
        self._due = None
        self.handle(on.Tick())
