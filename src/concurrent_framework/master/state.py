"""What the master knows. PURE. Each record has one owner: `MasterState`."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct, field

from concurrent_framework.master import lifecycle
from concurrent_framework.master.agenda import Agenda
from concurrent_framework.master.grounds import Grounds
from concurrent_framework.master.letters import Letters
from concurrent_framework.master.standing import Standing
from concurrent_framework.master.stored import Stored
from concurrent_framework.model.ids import ATTEMPT_BITS, FIRST_SPAWNED, application_of, sequence_of
from concurrent_framework.model.outcome import Attempt
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.model.spec import CodeBlob, digests_in
from concurrent_framework.protocol.session import Role
from concurrent_framework.protocol.tasks import NewTask, Outcome, OutputLine, Payload
from concurrent_framework.scheduling.depth import DEPTH_SECONDS, crowding, is_brief
from concurrent_framework.scheduling.queue import ReadyQueue

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.model.spec import TaskSpec
    from concurrent_framework.protocol.application import FinishTask, PushSystem, SystemEnded
    from concurrent_framework.protocol.tasks import ProgressNote


class SpecRecord:
    """A spec of one application, with the run time measured of its tasks.

    `priority` is the spec's and what people have added to it; `good_at` and `good_on` tell when and
    on which worker a task of it last succeeded. `digests` are those of all that has to be at a worker,
    `shares` those of shared objects among them.
    """

    __slots__ = (
        "_count", "_total", "digests", "good_at", "good_on", "number", "priority", "seconds", "shares",
        "spec",
    )  # fmt: skip

    def __init__(self, number: int, spec: TaskSpec, raised: int = 0) -> None:
        self.number = number
        self.spec = spec
        self.priority = spec.priority + raised
        self.good_at = -1.0
        self.good_on = 0
        self.shares = spec.data()
        self.digests = (*spec.code.digests(), *self.shares)
        self.seconds: float | None = None
        self._count = 0.0
        self._total = 0.0

    def measured(self, count: int, total: float) -> None:
        """Take in the run times of `count` tasks, `total` seconds together; recent ones weigh more."""
        keep = 0.5 ** (count / 64) if count < 640 else 0.0
        self._count = self._count * keep + count
        self._total = self._total * keep + total
        self.seconds = self._total / self._count


class TaskRecord(Struct, gc=False):
    """A task that has no outcome yet.

    `attempt` counts the times it was handed out and fences off late answers; `losses` counts the
    times that what ran it was lost, `failures` those that it failed and may be attempted again,
    together up to the spec's `max_attempts`. `since` is when it came into its state, `arrived` when
    it was submitted, `due` when its backoff is over. `overdue`: its deadline has come. `checkpoint`
    is the newest that one of its attempts made. `root` is the sequence of the pushed task that it
    descends from, if it belongs to a system: nothing else is ever rolled back.
    """

    key: int
    spec: SpecRecord
    task: NewTask
    state: int = lifecycle.WAITING
    attempt: int = 0
    losses: int = 0
    failures: int = 0
    worker: int = 0
    since: float = 0.0
    arrived: float = 0.0
    due: float = 0.0
    cancelled: bool = False
    overdue: bool = False
    history: tuple[Attempt, ...] = ()
    checkpoint: Payload = b""
    root: int = 0


class SystemRecord:
    """A task system, and the host process that runs it.

    `attempt` counts the hosts that were started since it has last made progress. `checkpoint` is the
    state from which the next one goes on, empty if it has to begin at the beginning, and `shares` are
    the shared objects that this refers to.
    """

    __slots__ = ("application", "attempt", "checkpoint", "host", "owner", "push", "shares")

    def __init__(self, owner: int, push: PushSystem) -> None:
        self.owner = owner
        self.push = push
        self.application = 0
        self.host = ""
        self.attempt = 0
        self.checkpoint: Payload = b""
        self.shares: tuple[str, ...] = ()

    def keep(self, checkpoint: Payload) -> None:
        """Take a checkpoint to go on from."""
        self.checkpoint = checkpoint
        self.shares = digests_in(checkpoint)


class HostRecord:
    """A host process: of a system, or the one that calls `finished` of an application's tasks."""

    __slots__ = (
        "application",
        "attempt",
        "calling",
        "host",
        "peer",
        "system",
        "waiting",
        "watched",
    )

    def __init__(self, host: str, application: int, system: SystemRecord | None) -> None:
        self.host = host
        self.application = application
        self.system = system
        self.peer: Hashable | None = None
        self.attempt = 1
        self.waiting: deque[FinishTask] = deque()
        self.calling: dict[int, FinishTask] = {}
        self.watched: set[int] = set()
        """Tasks of which it is told when their `finished` has been called."""


class Undelivered(Struct, gc=False):
    """An outcome that the application has not yet handled, with the task as it was submitted.

    `root` is the sequence of the pushed task that it descends from.
    """

    outcome: Outcome
    task: NewTask
    spec: SpecRecord | None
    root: int
    number: int = 0


class Counts(Struct, gc=False):
    """Tasks of an application by what became of them."""

    submitted: int = 0
    waiting: int = 0
    assigned: int = 0
    finishing: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


class ApplicationRecord:
    """An application, or the tasks of a system (`parent` is then its owner's number).

    A system's last checkpoint counts on tasks up to the sequence `counted_on`. Their outcomes, and
    those of their descendants, are `unabsorbed` when they have been acknowledged after it.
    `rollbacks` counts how often it was restored.
    """

    def __init__(self, number: int, session: str, name: str, *, parent: int, now: float) -> None:
        self.number = number
        self.session = session
        self.name = name
        self.parent = parent
        self.host = ""
        self.pid = 0
        self.weight = 1.0
        self.raised = 0
        self.detached = self.has_deadlines = self.paused = self.steered = False
        self.added = self.origin = 0
        self.peer: Hashable | None = None
        self.greeting = 0
        self.began = now
        self.last_heard = now
        self.away_since: float | None = None
        self.specs: dict[int, SpecRecord] = {}
        self.spawned_specs: dict[TaskSpec, int] = {}
        self.digests: set[str] = set()
        self.shares: set[str] = set()
        self.released: set[str] = set()
        """Those of its shared objects that it will not use again; others may need them yet."""
        self.copies: Counter[str] = Counter()
        """How many copies of its shared objects the journal holds."""
        self.systems: dict[int, SystemRecord] = {}
        self.accepted = 0
        self.next_spawned = FIRST_SPAWNED
        self.counts = Counts()
        self.outgoing: deque[Undelivered | SystemEnded] = deque()
        self.unacknowledged: deque[Undelivered | SystemEnded] = deque()
        self.undelivered: dict[int, Undelivered] = {}
        """Outcomes by task that may be delivered yet, or again, if there is a journal."""
        self.watched: deque[tuple[int, int]] = deque(maxlen=1000)
        """Numbers and tasks of outcomes of which it is told when they have been handled."""
        self.journalled = 0
        """Number of the last outcome that is in the journal."""
        self.live_bytes = 0
        """About what the journal has to keep of it."""
        self.unabsorbed: deque[Undelivered] = deque()
        self.counted_on = self.absorbed = self.rollbacks = 0
        self.first_number = 1
        self.knows_from = 0
        self.backlog: deque[OutputLine] = deque(maxlen=1000)
        self.tail: deque[tuple[int, float, OutputLine]] = deque(maxlen=1000)
        self.written = 0
        self.finisher: HostRecord | None = None
        self.progress: ProgressNote | None = None
        self.task_progress: dict[int, ProgressNote] = {}
        self.failures: deque[tuple[int, str, Failure]] = deque(maxlen=100)
        self.cancellations: deque[tuple[int, str, Failure]] = deque(maxlen=100)
        """Apart from what failed by itself, so that they do not drive that out."""

    def has(self, digest: str) -> bool:
        """Whether it has introduced this code or shared object."""
        return digest in self.digests or digest in self.shares

    @property
    def state(self) -> str:
        """How the application is doing, in one word."""
        if self.peer is not None:
            return "running"
        return "detached" if self.detached else "away"

    @property
    def idle(self) -> bool:
        """Nothing is waiting, running or undelivered."""
        return not self.unfinished

    @property
    def next_delivery(self) -> int:
        """The number that the next outcome gets."""
        return self.first_number + len(self.unacknowledged) + len(self.outgoing)

    @property
    def at_work(self) -> bool:
        """Whether it has tasks or systems that have not ended."""
        counts = self.counts
        return counts.waiting + counts.assigned + counts.finishing + len(self.systems) > 0

    @property
    def untold(self) -> int:
        """`unfinished`, but for the tasks of which outcomes that are to be delivered will tell."""
        pending = (*self.outgoing, *self.unacknowledged)
        return self.unfinished - sum(
            entry.outcome.children for entry in pending if isinstance(entry, Undelivered)
        )

    @property
    def unfinished(self) -> int:
        """Tasks and systems whose outcome the application has not handled."""
        counts = self.counts
        tasks = counts.waiting + counts.assigned + counts.finishing
        return tasks + len(self.systems) + len(self.outgoing) + len(self.unacknowledged)


class Echo(NamedTuple):
    """What is left of the output of an application that has ended."""

    number: int
    name: str
    written: int
    tail: tuple[tuple[int, float, OutputLine], ...]


class WorkerRecord:
    """A worker and what it has been handed."""

    def __init__(self, number: int, session: str, name: str, now: float) -> None:
        self.number = number
        self.session = session
        self.name = name
        self.host = ""
        self.pid = 0
        self.version = ""
        self.peer: Hashable | None = None
        self.greeting = 0
        self.capacity = Capacity()
        self._shares: dict[Resources, float] = {}
        self.joined = now
        self.last_heard = now
        self.last_outcome = now
        self.last_assigned = now
        self.tasks: dict[int, TaskRecord] = {}
        self.in_flight: dict[SpecRecord, int] = {}
        self.suspects = 0
        self.credit = 0
        self.asked = 0
        self.recalling = False
        self.recalled_at = -1.0
        self.speed = 1.0
        self.safe_through: int | None = None
        self.specs: set[int] = set()
        self.digests: set[str] = set()
        self.finished = 0
        self.good_at = -1.0
        self.standing = Standing()
        self.last_stderr: dict[int, str] = {}

    def offer(self, capacity: Capacity) -> None:
        """Take what the worker offers."""
        self.capacity = capacity
        self._shares.clear()

    def share(self, need: Resources) -> float:
        """Return how many of its executors a task with this need occupies."""
        share = self._shares.get(need)
        if share is None:
            share = self._shares[need] = self.capacity.share(need)
        return share

    def usage(self) -> tuple[float, float, float, float]:
        """Return `occupied`, `load`, `lengthy` and `crowd`, as a `WorkerView` has them."""
        occupied = load = lengthy = crowd = 0.0
        for spec, count in self.in_flight.items():
            taken = self.share(spec.spec.resources) * count
            seconds = spec.seconds
            occupied += taken
            load += taken * (DEPTH_SECONDS if seconds is None else seconds)
            if seconds is not None and is_brief(seconds):
                crowd += crowding(taken, seconds)
            else:
                lengthy += taken
        return occupied, load, lengthy, crowd

    @property
    def occupied(self) -> float:
        """Executors' shares that its tasks take when all run at once."""
        share = self.share
        return sum(share(spec.spec.resources) * count for spec, count in self.in_flight.items())

    @property
    def load(self) -> float:
        """Run time of its tasks in seconds, over all executors; an unknown one fills the depth."""
        share = self.share
        return sum(
            share(spec.spec.resources)
            * count
            * (DEPTH_SECONDS if spec.seconds is None else spec.seconds)
            for spec, count in self.in_flight.items()
        )


class PeerRecord(Struct):
    """Who is at the other end of a connection."""

    role: Role
    number: int = 0
    host: str = ""
    last_sent: float = 0.0


class Settings(Struct, frozen=True):
    """The master's options that its core uses; see the options of `MasterNode` for their meaning.

    `epoch` is the unix time when the core's clock was at zero; `journal` says whether there is a store;
    for `linger` see `Outbox.acknowledge`.
    """

    session: str
    name: str
    lease: float = 10.0
    window_tasks: int = 100_000
    window_bytes: int = 256 * 1024 * 1024
    retention: float = 3600.0
    quarantine_after: int = 5
    quarantine: float = 30.0
    failed_tasks: int = 1000
    failed_bytes: int = 64 * 1024 * 1024
    failed_retention: float = 86_400.0
    history: int = 100
    version: str = ""
    epoch: float = 0.0
    journal: bool = False
    linger: float = 0.0


class MasterState(Struct):
    """Everything the master knows.

    `talkative` applications have something to be delivered. `life` counts the masters that there were
    on this journal; 0 without one. `awaited` are the workers that an earlier master had and that have
    not greeted this one: until they have, or are lost, nothing is handed out, since it may be running
    there. `trouble` says why the store takes nothing at present; `stored` is None without one.
    """

    settings: Settings
    started: float
    letters: Letters
    life: int = 0
    awaited: set[int] = field(default_factory=set)
    trouble: str = ""
    stored: Stored | None = None
    talkative: set[int] = field(default_factory=set)
    tasks: dict[int, TaskRecord] = field(default_factory=dict)
    queue: ReadyQueue = field(default_factory=ReadyQueue)
    agenda: Agenda = field(default_factory=Agenda)
    applications: dict[int, ApplicationRecord] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    workers: dict[int, WorkerRecord] = field(default_factory=dict)
    worker_sessions: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, HostRecord] = field(default_factory=dict)
    peers: dict[Any, PeerRecord] = field(default_factory=dict)
    codes: dict[str, CodeBlob] = field(default_factory=dict)
    echoes: deque[Echo] = field(default_factory=lambda: deque(maxlen=20))
    ended: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=100))
    grounds: Grounds = field(default_factory=Grounds)
    next_number: int = 1
    next_worker: int = 1
    asks: int = 0
    outcomes: int = 0
    stale: int = 0

    @property
    def first_attempt(self) -> int:
        """What the numbers of this master's attempts are above."""
        return self.life << ATTEMPT_BITS

    def owner_of(self, application: ApplicationRecord) -> ApplicationRecord:
        """Return the application itself, or for a system's tasks the one that pushed the system."""
        if application.parent and application.parent in self.applications:
            return self.applications[application.parent]
        return application

    def system_of(self, key: int) -> SystemRecord | None:
        """Return the task system with this key, None if there is none that has not ended."""
        owner = self.applications.get(application_of(key))
        return None if owner is None else owner.systems.get(sequence_of(key))

    def records_of(self, application: int) -> list[TaskRecord]:
        """Return the tasks of an application that have no outcome yet."""
        return [record for key, record in self.tasks.items() if application_of(key) == application]


def new_state(settings: Settings, now: float) -> MasterState:
    """Return what a master knows that knows nothing yet."""
    letters = Letters(settings.failed_tasks, settings.failed_bytes, settings.failed_retention)
    return MasterState(settings, now, letters, ended=deque(maxlen=settings.history))
