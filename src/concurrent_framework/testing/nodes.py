"""The nodes of a simulated cluster: the cores of workers, applications and system hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.application import commands as app_commands
from concurrent_framework.application import events as app_events
from concurrent_framework.application.channel import Channel
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.code.blobs import make_blob
from concurrent_framework.model.ids import sequence_of
from concurrent_framework.model.resources import Resources
from concurrent_framework.model.spec import DATA, CodeReference, TaskSpec
from concurrent_framework.protocol.application import Define, Finished, PushSystem, SystemDone
from concurrent_framework.protocol.session import Hello, Role
from concurrent_framework.protocol.tasks import NewTask, SpecEntry
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.testing.network import SimClient
from concurrent_framework.worker import commands as worker_commands
from concurrent_framework.worker import events as worker_events
from concurrent_framework.worker.line import Line as WorkerLine
from concurrent_framework.worker.reactor import CACHE_BYTES, Identity, WorkerReactor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.model.resources import Capacity
    from concurrent_framework.protocol.application import SystemEnded
    from concurrent_framework.protocol.tasks import Assigned, Outcome, TaskCheckpoint
    from concurrent_framework.testing.cluster import SimCluster


class SimNode:
    """What workers and applications have in common: a name, a link and a life."""

    kind = "node"

    def __init__(self, cluster: SimCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.alive = True
        self.skew = 0.0
        cluster.nodes.append(self)
        self.link = SimClient(cluster.server, name)
        self.link.arrived = self.take

    def cut(self) -> None:
        """Break the network: what is sent from now on is lost."""
        self.link.up = False

    def cut_one_way(self, *, incoming: bool) -> None:
        """Break the network in one direction: what is sent that way from now on is lost."""
        self.link.hears = self.link.hears and not incoming
        self.link.speaks = self.link.speaks and incoming

    def mend(self) -> None:
        """Bring the network back; the connection is a new one, as with ZeroMQ."""
        self.link.connect()

    @property
    def now(self) -> float:
        """The time on its clock."""
        return self.cluster.clock.now + self.skew

    def jump(self, seconds: float) -> None:
        """Put its clock forward, as if it had not run for so long."""
        self.cluster.happened[f"{self.kind}'s clock jumped"] += 1
        self.skew += seconds
        self.wake()

    def wake(self) -> None:
        """Look at the clock."""
        raise NotImplementedError

    def kill(self) -> None:
        """End at once, without a word."""
        self.cluster.happened[f"{self.kind} killed"] += self.alive and self.kind != "host"
        self.alive = False
        self.link.close(0)

    def take(self) -> None:
        """Take in what has arrived from the master."""
        raise NotImplementedError

    def tick_at(self, due: float | None, tick: Callable[[], None]) -> None:
        """Have something done at a time, if still alive then."""
        if due is not None:
            self.cluster.clock.at_skewed(due, self.skew, lambda: tick() if self.alive else None)


class SimWorker(SimNode):
    """A worker's core with a `SimManager`.

    Attributes:
        stored: the data of shared objects that is here, by digest.
        arrived: digests of all that ever came, in order.

    """

    kind = "worker"

    def __init__(
        self,
        cluster: SimCluster,
        name: str,
        capacity: Capacity,
        cache_bytes: int = CACHE_BYTES,
        host: str = "",
    ) -> None:
        super().__init__(cluster, name)
        cluster.happened["worker started"] += 1
        self.manager = cluster.make_manager(cluster.clock, capacity.executors, self._report)
        self._line = WorkerLine(self.link)
        self.stored: dict[str, bytes] = {}
        self.arrived: list[str] = []
        self._needs: dict[int, tuple[str, ...]] = {}
        self.reactor = WorkerReactor(
            Identity(f"session-{name}", name, host),
            capacity,
            self.now,
            cache_bytes,
            cluster.linger,
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
        for command in self.reactor.handle(events, self.now):
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
        self.manager.learn(command.specs, command.codes)
        self._needs.update((entry.number, entry.spec.data()) for entry in command.specs)
        for blob in command.codes:
            if blob.kind == DATA:
                self.stored[blob.digest] = bytes(blob.data)
                self.arrived.append(blob.digest)

    def _check_data(self, tasks: Sequence[Assigned]) -> None:
        for task in tasks:
            missing = set(self._needs[task.spec]).difference(self.stored)
            assert not missing, f"task {task.key} would run without {missing}"

    def _tick(self, due: float) -> None:
        if due == self._due:
            self.wake()

    def wake(self) -> None:
        """Look at the clock."""
        self._due = -1.0
        self.feed([worker_events.Tick()])

    def _report(self, outcomes: list[Outcome], checkpoints: list[TaskCheckpoint]) -> None:
        self.feed([worker_events.Reported(outcomes, [], [], None, checkpoints)])


class SimApplication(SimNode):
    """An application's core that acknowledges every outcome at once."""

    kind = "application"

    def __init__(self, cluster: SimCluster, name: str, hello: dict[str, Any]) -> None:
        super().__init__(cluster, name)
        cluster.applications.append(self)
        role: Role = hello.pop("role", "submit")
        session = hello.pop("session", f"session-{name}")
        patience = hello.pop("connect_timeout", 5.0)
        self._pid = int(hello.get("pid", 0))
        self.session = ApplicationSession(
            Hello(role, session, name=name, **hello),
            connect_timeout=patience,
            linger=cluster.linger,
        )
        self._channel = Channel(self.link, lambda: self.now)
        self.outcomes: list[Outcome] = []
        self.seen: list[Any] = []
        self.ended_systems: list[SystemEnded] = []
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
        # Another process of this application has other numbers.
        number = self._specs.setdefault(made, 1000 * self._pid + len(self._specs) + 1)
        self.session.outbox.define(Define((SpecEntry(number, made),)))
        if not made.idempotent:
            self.once_only.append((self.session.outbox.next_sequence, len(payloads)))
        for payload in payloads:
            self.session.push(NewTask(number, "task", payload))
        self.expecting += len(payloads)
        self.feed([app_events.Flush()])

    def push_system(self, name: str = "system", system: Any = None) -> int:
        """Push a task system, of a class that can be imported if any; returns its sequence."""
        sequence = self.session.outbox.next_sequence
        code, state = CodeReference("sim", "System"), b""
        if system is not None:
            code = CodeReference(type(system).__module__, type(system).__qualname__)
            state = dump_state(system)
        self.session.outbox.push_system(PushSystem(sequence, name, code, state))
        self.expecting += 1
        self.feed([app_events.Flush()])
        return sequence

    def take(self) -> None:
        """Take in what has arrived from the master."""
        self.feed(self._channel.receive())

    def feed(self, events: Sequence[Any]) -> None:
        """Give events to the core and do what it wants."""
        for command in self.session.handle(events, self.now):
            match command:
                case app_commands.Send():
                    self._channel.send(command.messages)
                case app_commands.TasksEnded():
                    self.outcomes += command.outcomes
                    self.expecting -= len(command.outcomes)
                    self.expecting += sum(outcome.children for outcome in command.outcomes)
                    through = command.first + len(command.outcomes) - 1
                    self.feed([app_events.Handled(through)])
                    self.told()
                case app_commands.SystemOver():
                    self.seen.append(command.ended)
                    self.ended_systems.append(command.ended)
                    self.expecting -= 1
                    self.feed([app_events.Handled(command.ended.number)])
                case _:
                    self.other(command)
        due = self.session.deadline()
        if due != self._due:
            self._due = due
            self.tick_at(due, lambda: self._tick(due))

    def _tick(self, due: float | None) -> None:
        if due == self._due:
            self.wake()

    def wake(self) -> None:
        """Look at the clock."""
        self._due = None
        self.feed([app_events.Tick()])

    def other(self, command: Any) -> None:
        """Take a command that is nothing to do with outcomes."""
        self.seen.append(command)

    def told(self) -> None:
        """Do something when outcomes have come."""

    @property
    def sequences(self) -> list[int]:
        """The sequences of the tasks whose outcomes have come, in order."""
        return [sequence_of(outcome.key) for outcome in self.outcomes]


class SimHost(SimApplication):
    """A system host's core. It calls `finished` by counting; as a system it pushes some tasks."""

    kind = "host"

    def __init__(self, cluster: SimCluster, name: str) -> None:
        self.called: list[int] = []
        super().__init__(cluster, name, {"role": "host", "session": name})

    def kill(self) -> None:
        """End at once; the master learns of it."""
        self.abandon()
        self.cluster.host_ended(self.name)

    def abandon(self) -> None:
        """End with the master."""
        super().kill()

    def other(self, command: Any) -> None:
        """Take what only hosts are asked for."""
        match command:
            case app_commands.CallFinished():
                keys = [item.outcome.key for item in command.items]
                self.called += [key for key in keys if key not in self.called]
                self.feed([app_events.Told((Finished(tuple(keys)),), keep=False)])
            case app_commands.TakeJob() if command.job.system is not None:
                if not self.session.outbox.next_sequence > 1:
                    self.push([b"0.1"] * 3)
            case app_commands.End():
                self.kill()
            case _:
                super().other(command)

    def told(self) -> None:
        """Say that the system is complete when all its tasks are."""
        if not self.expecting:
            self.feed([app_events.Told((SystemDone(b"result"),), keep=True)])
