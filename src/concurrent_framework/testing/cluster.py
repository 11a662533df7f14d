"""A whole cluster in one thread: the three cores, wired by a simulated network on a fake clock.

Every message is encoded and decoded on its way, and the master's invariants are checked after each
round, so that a test sees what real processes would do, in milliseconds and always the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.application import commands as app_commands
from concurrent_framework.application import events as app_events
from concurrent_framework.application.channel import Channel
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.code.blobs import DATA, make_blob
from concurrent_framework.master import commands as master_commands
from concurrent_framework.master import events as master_events
from concurrent_framework.master.line import Line as MasterLine
from concurrent_framework.master.reactor import MasterReactor
from concurrent_framework.master.state import Settings, check_invariants
from concurrent_framework.model.ids import sequence_of
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.application import (
    Define,
    PushSystem,
)
from concurrent_framework.protocol.session import Hello, Role
from concurrent_framework.protocol.tasks import NewTask, SpecEntry
from concurrent_framework.scheduling.pull import PullScheduler
from concurrent_framework.scheduling.push import PushScheduler
from concurrent_framework.scheduling.strategies import LeastLoaded
from concurrent_framework.testing.clock import FakeClock
from concurrent_framework.testing.manager import SimManager
from concurrent_framework.testing.network import Faults, SimClient, SimServer
from concurrent_framework.worker import commands as worker_commands
from concurrent_framework.worker import events as worker_events
from concurrent_framework.worker.line import Line as WorkerLine
from concurrent_framework.worker.reactor import CACHE_BYTES, Identity, WorkerReactor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.protocol.tasks import Assigned, Outcome
    from concurrent_framework.scheduling.base import ITaskScheduler

CHECK_ALWAYS = 40
"""Up to so many tasks the invariants are checked after every round, beyond it now and then."""
CHECK_SOMETIMES = 20
ALL_ROLES: frozenset[Role] = frozenset({"submit", "execute", "observe", "admin", "host"})


class SimCluster:
    """A master with workers and applications on a fake clock.

    Args:
        pattern: ``push`` or ``pull``.
        scheduler: another scheduler than the pattern's.
        lease: seconds of silence after which a node counts as lost.
        faults: what the network does wrong.
        options: further fields of the master's `Settings`.

    Example:
        >>> cluster = SimCluster()
        >>> worker = cluster.add_worker(executors=2)
        >>> app = cluster.add_application()
        >>> app.push([b"0.5:one", b"0.25:two"])
        >>> cluster.run()
        >>> sorted(outcome.result for outcome in app.outcomes)
        [b'one', b'two']

    """

    def __init__(
        self,
        pattern: str = "push",
        scheduler: ITaskScheduler | None = None,
        *,
        lease: float = 10.0,
        faults: Faults | None = None,
        **options: Any,
    ) -> None:
        self.clock = FakeClock()
        if scheduler is None:
            scheduler = PullScheduler() if pattern == "pull" else PushScheduler(LeastLoaded())
        settings = Settings("master", "sim", lease, **options)
        self.master = MasterReactor(settings, scheduler, 0.0)
        self.nodes: list[SimNode] = []
        self.started_hosts: list[str] = []
        self.stopped_hosts: list[str] = []
        self.log: list[str] = []
        self.server = SimServer(self.clock, faults or Faults())
        self.server.arrived = lambda: self.feed(self._line.receive())
        self._line = MasterLine(self.server, lambda _hello, _local: (ALL_ROLES, ""))
        self._rounds = 0
        self._tick_at: float | None = None

    def add_worker(
        self, name: str = "", *, cache_bytes: int = CACHE_BYTES, **capacity: Any
    ) -> SimWorker:
        """Start a worker with a `Capacity` of these fields."""
        capacity.setdefault("executors", 2)
        capacity.setdefault("cpus", float(capacity["executors"]))
        name = name or f"w{len(self.nodes)}"
        return SimWorker(self, name, Capacity(**capacity), cache_bytes)

    def add_application(self, name: str = "", **hello: Any) -> SimApplication:
        """Start an application and let it be welcomed; arguments are fields of its `Hello`."""
        application = SimApplication(self, name or f"a{len(self.nodes)}", hello)
        while application.session.welcome is None:
            self.clock.step()
        return application

    def run(self, seconds: float = 3600.0) -> None:
        """Go on until every application has all its outcomes, or for that long."""
        end = self.clock.now + seconds
        while self.busy() and (due := self.clock.next_time()) is not None and due <= end:
            self.clock.step()

    def run_for(self, seconds: float) -> None:
        """Go on for so long."""
        self.clock.run_until(self.clock.now + seconds)

    def busy(self) -> bool:
        """Whether an application still expects outcomes."""
        return any(isinstance(node, SimApplication) and node.expecting for node in self.nodes)

    def feed(self, events: Sequence[Any]) -> None:
        """Give events to the master and do what it wants."""
        now = self.clock.now
        for command in self.master.handle(events, now):
            match command:
                case master_commands.Send():
                    self._line.send(command.peer, command.messages)
                case master_commands.Drop():
                    self._line.drop(command.peer)
                case master_commands.StartHost():
                    self.started_hosts.append(command.host)
                case master_commands.StopHost():
                    self.stopped_hosts.append(command.host)
                case master_commands.Log():
                    self.log.append(command.text)
        self._rounds += 1
        if len(self.master.state.tasks) < CHECK_ALWAYS or self._rounds % CHECK_SOMETIMES == 0:
            check_invariants(self.master.state)
        due = self.master.deadline()
        if self._tick_at is None or due < self._tick_at or self._tick_at <= now:
            self._tick_at = due
            self.clock.at(due, lambda: self._tick(due))

    def _tick(self, due: float) -> None:
        if due == self._tick_at:
            self._tick_at = None
            self.feed([master_events.Tick()])


class SimNode:
    """What workers and applications have in common: a name, a link and a life."""

    def __init__(self, cluster: SimCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.alive = True
        cluster.nodes.append(self)
        self.link = SimClient(cluster.server, name)
        self.link.arrived = self.take

    def cut(self) -> None:
        """Break the network: what is sent from now on is lost."""
        self.link.up = False

    def mend(self) -> None:
        """Bring the network back; the connection is a new one, as with ZeroMQ."""
        self.link.connect()

    def kill(self) -> None:
        """End at once, without a word."""
        self.alive = False
        self.link.close(0)

    def take(self) -> None:
        """Take in what has arrived from the master."""
        raise NotImplementedError

    def tick_at(self, due: float | None, tick: Callable[[], None]) -> None:
        """Have something done at a time, if still alive then."""
        if due is not None:
            self.cluster.clock.at(due, lambda: tick() if self.alive else None)


class SimWorker(SimNode):
    """A worker's core with a `SimManager`.

    Attributes:
        stored: the data of shared objects that is here, by digest.
        arrived: digests of all that ever came, in order.

    """

    def __init__(
        self, cluster: SimCluster, name: str, capacity: Capacity, cache_bytes: int = CACHE_BYTES
    ) -> None:
        super().__init__(cluster, name)
        self.manager = SimManager(cluster.clock, capacity.executors, self._report)
        self._line = WorkerLine(self.link)
        self.stored: dict[str, bytes] = {}
        self.arrived: list[str] = []
        self._needs: dict[int, tuple[str, ...]] = {}
        self.reactor = WorkerReactor(
            Identity(f"session-{name}", name), capacity, cluster.clock.now, cache_bytes
        )
        self._due = -1.0
        self.feed([worker_events.Tick()])

    def take(self) -> None:
        """Take in what has arrived from the master."""
        self.feed(self._line.receive())

    def kill(self) -> None:
        """End at once, with everything it runs."""
        super().kill()
        self.manager.stop()

    def leave(self) -> None:
        """End in an orderly way."""
        self.feed([worker_events.Stopping("it was stopped")])
        self.manager.stop()

    def feed(self, events: Sequence[Any]) -> None:
        """Give events to the core and do what it wants."""
        if not self.alive:
            return
        for command in self.reactor.handle(events, self.cluster.clock.now):
            match command:
                case worker_commands.Send():
                    self._line.send(command.messages)
                case worker_commands.Learn() | worker_commands.Discard():
                    self._store(command)
                case worker_commands.Execute():
                    self._check_data(command.tasks)
                    self.manager.submit(command.tasks)
                case worker_commands.TakeBack():
                    back = self.manager.recall(command.limit)
                    self.feed([worker_events.GivenBack(back)])
                case worker_commands.Cancel():
                    self.manager.cancel(command.tasks)
                case worker_commands.DropApplication():
                    self.manager.forget(command.application)
                case worker_commands.Stop():
                    self.alive = False
        due = self.reactor.deadline()
        if due != self._due:
            self._due = due
            self.tick_at(due, lambda: self._tick(due))

    def _store(self, command: worker_commands.Learn | worker_commands.Discard) -> None:
        if isinstance(command, worker_commands.Discard):
            for digest in command.digests:
                del self.stored[digest]
            return
        self._needs.update((entry.number, entry.spec.data()) for entry in command.specs)
        for blob in command.codes:
            self.stored[blob.digest] = bytes(blob.data)
            self.arrived.append(blob.digest)

    def _check_data(self, tasks: Sequence[Assigned]) -> None:
        for task in tasks:
            missing = set(self._needs[task.spec]).difference(self.stored)
            assert not missing, f"task {task.key} would run without {missing}"

    def _tick(self, due: float) -> None:
        if due == self._due:
            self._due = -1.0
            self.feed([worker_events.Tick()])

    def _report(self, outcomes: list[Outcome]) -> None:
        self.feed([worker_events.Reported(outcomes, [], [])])


class SimApplication(SimNode):
    """An application's core that acknowledges every outcome at once."""

    def __init__(self, cluster: SimCluster, name: str, hello: dict[str, Any]) -> None:
        super().__init__(cluster, name)
        role: Role = hello.pop("role", "submit")
        session = hello.pop("session", f"session-{name}")
        self.session = ApplicationSession(
            Hello(role, session, name=name, **hello), connect_timeout=5.0
        )
        self._channel = Channel(self.link, lambda: cluster.clock.now)
        self.outcomes: list[Outcome] = []
        self.seen: list[Any] = []
        self.expecting = 0
        self.once_only: list[tuple[int, int]] = []
        """First sequence and number of tasks that may be attempted at most once."""
        self._specs: dict[TaskSpec, int] = {}
        self._due: float | None = None
        self.feed([app_events.Started()])

    def share(self, data: bytes) -> str:
        """Share an object; tasks pushed with ``shares=(digest,)`` refer to it."""
        blob = make_blob(DATA, data)
        self.session.outbox.define(Define((), (blob,)))
        return blob.digest

    def release(self, digest: str) -> None:
        """Release a shared object."""
        self.session.outbox.define(Define((), (), (digest,)))
        self.feed([app_events.Flush()])

    def push(self, payloads: Sequence[bytes], **spec: Any) -> None:
        """Push tasks with these payloads (see `SimManager`) and a `TaskSpec` of these fields."""
        resources = {k: spec.pop(k) for k in ("cpus", "memory", "gpus", "labels") if k in spec}
        made = TaskSpec(CodeReference("sim", "Task"), Resources(**resources), **spec)
        number = self._specs.setdefault(made, len(self._specs) + 1)
        self.session.outbox.define(Define((SpecEntry(number, made),)))
        if not made.idempotent:
            self.once_only.append((self.session.outbox.next_sequence, len(payloads)))
        for payload in payloads:
            self.session.push(NewTask(number, "task", payload))
        self.expecting += len(payloads)
        self.feed([app_events.Flush()])

    def push_system(self, name: str = "system") -> int:
        """Push a task system; returns its sequence."""
        sequence = self.session.outbox.next_sequence
        self.session.outbox.push_system(
            PushSystem(sequence, name, CodeReference("sim", "System"), b"")
        )
        self.expecting += 1
        self.feed([app_events.Flush()])
        return sequence

    def take(self) -> None:
        """Take in what has arrived from the master."""
        self.feed(self._channel.receive())

    def feed(self, events: Sequence[Any]) -> None:
        """Give events to the core and do what it wants."""
        for command in self.session.handle(events, self.cluster.clock.now):
            match command:
                case app_commands.Send():
                    self._channel.send(command.messages)
                case app_commands.TasksEnded():
                    self.outcomes += command.outcomes
                    self.expecting -= len(command.outcomes)
                    through = command.first + len(command.outcomes) - 1
                    self.feed([app_events.Handled(through)])
                case app_commands.SystemOver():
                    self.seen.append(command.ended)
                    self.expecting -= 1
                    self.feed([app_events.Handled(command.ended.number)])
                case _:
                    self.seen.append(command)
        due = self.session.deadline()
        if due != self._due:
            self._due = due
            self.tick_at(due, lambda: self._tick(due))

    def _tick(self, due: float | None) -> None:
        if due == self._due:
            self._due = None
            self.feed([app_events.Tick()])

    @property
    def sequences(self) -> list[int]:
        """The sequences of the tasks whose outcomes have come, in order."""
        return [sequence_of(outcome.key) for outcome in self.outcomes]
