"""A rehearsal: the master's real core and a scheduler, in virtual time, with simulated workers.

Neither master nor network take time, but for the latency of messages and the bandwidth for shared
objects. So what is measured is what the scheduler decides, and what it decides always is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework.master import commands as do
from concurrent_framework.master import events as on
from concurrent_framework.master.reactor import MasterReactor
from concurrent_framework.master.state import Settings
from concurrent_framework.model.errors import UsageError
from concurrent_framework.model.spec import DATA, CodeBlob, CodeReference, TaskSpec
from concurrent_framework.protocol.application import Define, Deliver, Delivered, Submit
from concurrent_framework.protocol.session import Hello
from concurrent_framework.protocol.tasks import SpecEntry
from concurrent_framework.protocol.worker import Outcomes, Provide
from concurrent_framework.rehearsal.figures import INSTANT, figures_of
from concurrent_framework.rehearsal.worker import StageWorker, new_task
from concurrent_framework.rehearsal.workload import NOBODY
from concurrent_framework.testing.clock import FakeClock
from concurrent_framework.worker.reactor import CACHE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.protocol.session import Role
    from concurrent_framework.protocol.tasks import Assigned, NewTask
    from concurrent_framework.rehearsal.figures import Figures
    from concurrent_framework.rehearsal.workload import Helper, Job, Workload
    from concurrent_framework.scheduling.base import ITaskScheduler

FOREVER = 1e12
"""A lease that never ends: nobody is lost in a rehearsal."""
SOON = 1e6
"""Seconds from now within which what the master wants to be woken for matters."""
ACKNOWLEDGE = 1024
"""Outcomes after which an application says that it has handled them."""
TELL = 512
"""Steps of the clock between two looks at how far it has come."""
ROLES: frozenset[Role] = frozenset({"submit", "execute"})


class Network(NamedTuple):
    """What lies between master and workers.

    Args:
        latency: seconds that a message takes, one way.
        bandwidth: bytes of shared objects per second to each worker; 0 for no limit.

    """

    latency: float = 0.0001
    bandwidth: float = 0.0


class Stage:
    """Rehearses a workload once.

    Args:
        workload: what there is to do.
        scheduler: decides.
        helpers: the workers, all there from the beginning to the end.
        network: what lies between.
        at_start: whether all that was pushed comes at once, instead of when it came.

    """

    def __init__(
        self,
        workload: Workload,
        scheduler: ITaskScheduler,
        helpers: Sequence[Helper],
        network: Network,
        *,
        at_start: bool = False,
    ) -> None:
        self.clock = FakeClock()
        self.workload = workload
        self._network = network
        settings = Settings(
            "rehearsal", "rehearsal", FOREVER, quarantine_after=0, failed_tasks=0, history=0
        )
        self._master = MasterReactor(settings, scheduler, 0.0)
        self._inbox: list[on.Event] = []
        self._awake = self._begun = False
        self._tick_at = FOREVER
        self._nodes: dict[Any, StageWorker | _Application] = {}
        self._came = [0.0 if at_start else job.arrival for job in workload.jobs]
        self._waits: list[float] = []
        self._children: dict[int, list[int]] = {}
        self._left = len(workload.jobs)
        self._last = 0.0
        self._moved = 0
        for place, job in enumerate(workload.jobs):
            if job.maker != NOBODY:
                self._children.setdefault(job.maker, []).append(place)
        self._workers = [StageWorker(self, helper, CACHE_BYTES) for helper in helpers]
        self._turn()
        self._applications = []
        for place, client in enumerate(workload.clients):
            application = _Application(self, place)
            self._applications.append(application)
            self._nodes[application.peer] = application
            self._inbox += application.introduction(client.weight)
        self._turn()
        self._begun = True
        self._plan()

    def run(self, progress: Callable[[int], None]) -> Figures:
        """Go on to the end; `progress` is told how many jobs are through.

        Raises:
            UsageError: some jobs are never handed to a worker.

        """
        total, steps = self._left, 0
        while self._left and self.clock.step():
            steps += 1
            if steps % TELL == 0:
                progress(total - self._left)
        progress(total - self._left)
        if self._left:
            raise UsageError(self._why_not())
        busy = [worker.busy for worker in self._workers]
        executors = [worker.helper.capacity.executors for worker in self._workers]
        return figures_of(max(self._last, INSTANT), busy, executors, self._waits, self._moved)

    def _plan(self) -> None:
        """Have the jobs come that were pushed; those that come at a time to an application together."""
        groups: dict[tuple[float, int], list[int]] = {}
        for place, job in enumerate(self.workload.jobs):
            if job.maker == NOBODY:
                groups.setdefault((self._came[place], job.application), []).append(place)
        for (at, application), places in groups.items():
            self.clock.at(
                at,
                lambda who=application, places=places: self._applications[who].push(places),  # type: ignore[misc]
            )

    # What workers and applications need.

    def job_of(self, task: Assigned) -> Job:
        """Return the job that a task stands for."""
        return self.workload.jobs[int(task.payload)]

    def made_by(self, task: Assigned) -> tuple[NewTask, ...]:
        """Return the tasks that one makes."""
        if not self._children:
            return ()
        made = self._children.get(int(task.payload), ())
        return tuple(new_task(self.workload.jobs[place].kind + 1, place) for place in made)

    def started(self, task: Assigned) -> None:
        """Take note that a task starts just now."""
        self._waits.append(max(self.clock.now - self._came[int(task.payload)], 0.0))

    def from_worker(self, worker: StageWorker, messages: list[Any]) -> None:
        """Carry messages to the master."""
        if isinstance(messages[0], Hello):
            self._nodes[worker.peer] = worker
            self._inbox.append(on.Greeted(worker.peer, messages[0], ROLES))
            return
        self.clock.at(
            self.clock.now + self._network.latency, lambda: self._arrive(worker, messages)
        )

    def post(self, event: on.Event) -> None:
        """Give the master an event, together with all else that happens just now."""
        self._inbox.append(event)
        if not self._awake:
            self._awake = True
            self.clock.at(self.clock.now, self._turn)

    def ended(self, jobs: int) -> None:
        """Take note that an application was told of so many ends."""
        self._left -= jobs
        self._last = self.clock.now

    # The master.

    def _arrive(self, worker: StageWorker, messages: list[Any]) -> None:
        if self._children:
            for message in messages:
                if isinstance(message, Outcomes):
                    for outcome in message.outcomes:
                        for row in outcome.spawned:
                            self._came[int(row.payload)] = self.clock.now
        self.post(on.Received(worker.peer, messages))

    def _turn(self) -> None:
        events, self._inbox, self._awake = self._inbox, [], False
        now = self.clock.now
        for command in self._master.handle(events, now):
            if isinstance(command, do.Send):
                node = self._nodes[command.peer]
                if isinstance(node, StageWorker) and self._begun:
                    self._to_worker(node, command.messages)
                else:
                    node.receive(command.messages)
        due = self._master.deadline()
        if due < now + SOON and (self._tick_at <= now or due < self._tick_at):
            self._tick_at = due
            self.clock.at(due, lambda: self._tick(due))

    def _tick(self, due: float) -> None:
        if due == self._tick_at:
            self._tick_at = FOREVER
            self.post(on.Tick())

    def _to_worker(self, worker: StageWorker, messages: list[Any]) -> None:
        size = sum(
            len(blob.data)
            for message in messages
            if isinstance(message, Provide)
            for blob in message.codes
        )
        self._moved += size
        bandwidth = self._network.bandwidth
        free = max(self.clock.now, worker.link_free)
        worker.link_free = free + size / bandwidth if bandwidth else free
        self.clock.at(worker.link_free + self._network.latency, lambda: worker.receive(messages))

    def _why_not(self) -> str:
        kinds, capacities = self.workload.kinds, [one.helper.capacity for one in self._workers]
        for kind in kinds:
            if not any(capacity.can_run(kind.resources) for capacity in capacities):
                need = kind.resources
                wanted = [f"{need.cpus:g} cpus"]
                wanted += [f"{need.memory:,} bytes of memory"] if need.memory else []
                wanted += [f"{need.gpus:g} gpus"] if need.gpus else []
                wanted += [f"the label {label}" for label in need.labels]
                return (
                    f"no simulated worker can run {kind.name}, which needs {', '.join(wanted)}:"
                    " simulate workers with more executors, which have more cpus"
                )
        return (
            f"{self._left:,} of {len(self.workload.jobs):,} tasks were never handed to a worker: the"
            " scheduler or strategy places none although there is room"
        )


class _Application:
    """Pushes the jobs of one application."""

    def __init__(self, stage: Stage, place: int) -> None:
        self.peer = f"application-{place}"
        self._stage = stage
        self._place = place
        self._pushed = 0
        self._handled = self._acknowledged = 0

    def introduction(self, weight: float) -> list[on.Event]:
        """Return what the master is told of it before time begins."""
        workload = self._stage.workload
        specs = []
        digests: dict[str, None] = {}
        for place, kind in enumerate(workload.kinds):
            if kind.application == self._place:
                digests.update(dict.fromkeys(kind.data))
                code = CodeReference("recorded", kind.name)
                spec = TaskSpec(code, kind.resources, kind.priority, shares=kind.data)
                specs.append(SpecEntry(place + 1, spec))
        # Nobody looks into the data, and memory that nobody writes to takes no room.
        blobs = [CodeBlob(digest, DATA, bytes(workload.sizes[digest])) for digest in digests]
        hello = Hello("submit", self.peer, name=self.peer, weight=weight, greeting=1)
        return [
            on.Greeted(self.peer, hello, ROLES),
            on.Received(self.peer, [Define(tuple(specs), tuple(blobs))]),
        ]

    def push(self, places: list[int]) -> None:
        """Push jobs."""
        jobs = self._stage.workload.jobs
        rows = [new_task(jobs[place].kind + 1, place) for place in places]
        first = self._pushed + 1
        self._pushed += len(rows)
        self._stage.post(on.Received(self.peer, [Submit(first, rows)]))

    def receive(self, messages: list[Any]) -> None:
        """Count outcomes."""
        for message in messages:
            if isinstance(message, Deliver):
                self._handled += len(message.outcomes)
                self._stage.ended(len(message.outcomes))
        if self._handled - self._acknowledged >= ACKNOWLEDGE:
            self._acknowledged = self._handled
            self._stage.post(on.Received(self.peer, [Delivered(self._handled)]))
