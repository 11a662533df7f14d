"""A whole cluster in one thread: the three cores, wired by a simulated network on a fake clock.

Every message is encoded and decoded on its way, and the master's invariants are checked after each
round, so that a test sees what real processes would do, in milliseconds and always the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from concurrent_framework.master import commands as master_commands
from concurrent_framework.master import events as master_events
from concurrent_framework.master.invariants import check_invariants
from concurrent_framework.master.keeping import Keeping
from concurrent_framework.master.line import Line as MasterLine
from concurrent_framework.master.reactor import MasterReactor
from concurrent_framework.master.recovery import recover
from concurrent_framework.master.state import Settings
from concurrent_framework.model.resources import Capacity
from concurrent_framework.protocol.application import Answer
from concurrent_framework.scheduling.pull import PullScheduler
from concurrent_framework.scheduling.push import PushScheduler
from concurrent_framework.scheduling.strategies import LeastLoaded
from concurrent_framework.testing.clock import FakeClock
from concurrent_framework.testing.disk import CrashedError, SimDisk
from concurrent_framework.testing.manager import SimManager
from concurrent_framework.testing.network import Faults, SimServer
from concurrent_framework.testing.nodes import SimApplication, SimHost, SimNode, SimWorker
from concurrent_framework.worker.reactor import CACHE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.protocol.session import Role
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
        disk: where the master keeps its journal; None for nowhere.
        hosts: whether hosts run that the master starts.
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
        disk: SimDisk | None = None,
        hosts: bool = False,
        **options: Any,
    ) -> None:
        self.clock = FakeClock()
        if scheduler is None:
            scheduler = PullScheduler() if pattern == "pull" else PushScheduler(LeastLoaded())
        self.disk = disk
        self.nodes: list[SimNode] = []
        self.applications: list[SimApplication] = []
        self.hosts: dict[str, Any] = {}
        self.make_manager: Callable[..., SimManager] = SimManager
        self.started_hosts: list[str] = []
        self.stopped_hosts: list[str] = []
        self._begun: set[str] = set()
        self.start_host: Callable[[str], None] = self._start_host
        self.log: list[str] = []
        self.answers: list[Answer] = []
        self.lives = 0
        self.alive = False
        self.wall = 0.0
        """What the machine's clock shows beyond the time that has passed; a new master looks at it."""
        self.skew = 0.0
        """By how much the master's own clock is ahead of the time that has passed."""
        faults = faults or Faults()
        self.happened = faults.happened
        if disk is not None:
            disk.happened, disk.wait = self.happened, self._wait
        self._waiting: list[Any] | None = None
        self.server = SimServer(self.clock, faults)
        self.server.arrived = self._arrived
        self._scheduler = scheduler
        self._settings = Settings("", "sim", lease, journal=disk is not None, **options)
        self.linger = self._settings.linger
        self._with_hosts = hosts
        self.rounds = 0
        self._tick_at: float | None = None
        self.start_master()

    def start_master(self) -> None:
        """Start a master on what the disk holds."""
        self.lives += 1
        self.alive = self.server.up = True
        self.happened["master started again"] += self.lives > 1
        epoch = self.wall - self.skew
        settings = replace(self._settings, session=f"master-{self.lives}", epoch=epoch)
        store = state = None
        if self.disk is not None:
            store = self.disk.store()
            store.open()
            entries = (entry.data for entry in store.entries())
            state = recover(settings, entries, self.now)
            check_invariants(state)
        self.master = MasterReactor(settings, self._scheduler, self.now, state)
        self._line = MasterLine(self.server, lambda _hello, _local: (ALL_ROLES, ""))
        sizes: dict[str, Any] = (
            {} if self.disk is None else {"spare": self.disk.spare, "step": self.disk.step}
        )
        self._keeping = Keeping(store, self.master, self._perform, **sizes)
        self.feed([master_events.Begun()])

    def crash_master(self) -> None:
        """End the master at once, and its hosts with it."""
        self.alive = False
        self.happened["master killed"] += 1
        self._tick_at = self._waiting = None
        for host in self.hosts.values():
            host.abandon()
        self.hosts.clear()
        self.server.crash()

    @property
    def now(self) -> float:
        """The time on the master's clock."""
        return self.clock.now + self.skew

    @property
    def settled(self) -> bool:
        """Whether a master is there and is not in the middle of something."""
        return self.alive and self._waiting is None

    def jump(self, seconds: float) -> None:
        """Put the master's clock forward, as if it had not run for so long."""
        self.happened["master's clock jumped"] += 1
        self.skew += seconds
        self.feed([master_events.Tick()])

    def jump_wall(self, seconds: float) -> None:
        """Put the machine's clock forward, or back if negative: the next master begins with it."""
        self.happened["machine's clock set"] += 1
        self.wall += seconds

    def add_worker(
        self, name: str = "", *, host: str = "", cache_bytes: int = CACHE_BYTES, **capacity: Any
    ) -> SimWorker:
        """Start a worker with a `Capacity` of these fields, on a machine of that name."""
        capacity.setdefault("executors", 2)
        capacity.setdefault("cpus", float(capacity["executors"]))
        name = name or f"w{len(self.nodes)}"
        return SimWorker(self, name, Capacity(**capacity), cache_bytes, host)

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
        return any(application.expecting for application in self.applications)

    def feed(self, events: Sequence[Any]) -> None:
        """Give events to the master and do what it wants."""
        if not self.alive:
            return
        if self._waiting is not None:
            self._waiting += events
            return
        try:
            self._turn(events)
        except CrashedError:
            self.crash_master()

    def _arrived(self) -> None:
        """Take in what has arrived, unless the master waits for its disk."""
        if self._waiting is None:
            self.feed(self._line.receive())

    def _wait(self, seconds: float) -> None:
        """Let everything but the master go on for so long."""
        self._waiting = []
        self.clock.run_until(self.clock.now + seconds)
        waiting, self._waiting, life = self._waiting, None, self.lives
        self.clock.at(
            self.clock.now,
            lambda: self.feed([*self._line.receive(), *waiting]) if life == self.lives else None,
        )

    def _turn(self, events: Sequence[Any]) -> None:
        now = self.now
        self._keeping.turn(events, now)
        self.rounds += 1
        if len(self.master.state.tasks) < CHECK_ALWAYS or self.rounds % CHECK_SOMETIMES == 0:
            check_invariants(self.master.state)
        due = self._keeping.deadline()
        if self._tick_at is None or due < self._tick_at or self._tick_at <= now:
            self._tick_at = due
            self.clock.at_skewed(due, self.skew, lambda: self._tick(due))

    def _perform(self, command: Any) -> None:
        if self.disk is not None:
            self.disk.point()
        match command:
            case master_commands.Send():
                self._line.send(command.peer, command.messages)
                self.answers += (one for one in command.messages if isinstance(one, Answer))
            case master_commands.Drop():
                self._line.drop(command.peer)
            case master_commands.StartHost():
                self.started_hosts.append(command.host)
                self.start_host(command.host)
            case master_commands.StopHost():
                self.stopped_hosts.append(command.host)
                host = self.hosts.pop(command.host, None)
                if host is not None:
                    host.abandon()
            case master_commands.Log():
                self.log.append(command.text)

    def _start_host(self, host: str) -> None:
        if self._with_hosts:
            again = host in self._begun or "." in host
            self._begun.add(host)
            self.happened["host started again"] += again
            self.hosts[host] = SimHost(self, host)

    def host_ended(self, host: str) -> None:
        """Tell the master, a moment later, that a host was killed."""
        if self.hosts.pop(host, None) is not None:
            self.happened["host killed"] += 1
            ended = master_events.HostEnded(host, None, 9, "")
            life = self.lives
            self.clock.at(
                self.clock.now + 0.001, lambda: self.feed([ended] if life == self.lives else [])
            )

    def _tick(self, due: float) -> None:
        if due == self._tick_at:
            self._tick_at = None
            self.feed([master_events.Tick()])
