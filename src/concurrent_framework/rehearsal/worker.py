"""A worker of a rehearsal: the real core, and executors that take the time that tasks took."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.protocol.tasks import NewTask, Outcome
from concurrent_framework.worker import commands as do
from concurrent_framework.worker import events as on
from concurrent_framework.worker.reactor import Identity, WorkerReactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.protocol.tasks import Assigned
    from concurrent_framework.rehearsal.stage import Stage
    from concurrent_framework.rehearsal.workload import Helper

GATHER_SECONDS = 0.005
"""Executors tell of the tasks that have ended when they have run dry, or after this time."""
ROUNDING = 1e-9


class StageWorker:
    """Runs jobs in virtual time.

    Attributes:
        busy: seconds for which its executors ran tasks, together.

    Args:
        stage: where it works.
        helper: what it is like.
        cache_bytes: bytes of shared objects that it keeps.

    """

    def __init__(self, stage: Stage, helper: Helper, cache_bytes: int) -> None:
        self.peer = f"worker-{helper.name}"
        self.helper = helper
        self.busy = 0.0
        self.link_free = 0.0
        self._stage = stage
        self._free = float(helper.capacity.executors)
        self._queue: deque[Assigned] = deque()
        self._ended: list[Outcome] = []
        self._told = -GATHER_SECONDS
        identity = Identity(self.peer, helper.name)
        self._reactor = WorkerReactor(identity, helper.capacity, 0.0, cache_bytes)
        self.feed([on.Tick()])

    def receive(self, messages: list[Any]) -> None:
        """Take in what the master has sent."""
        self.feed([on.Received(messages)])

    def feed(self, events: Sequence[on.Event]) -> None:
        """Give events to the core and do what it wants."""
        while events:
            following: list[on.Event] = []
            for command in self._reactor.handle(events, self._stage.clock.now):
                match command:
                    case do.Send():
                        self._stage.from_worker(self, command.messages)
                    case do.Execute():
                        self._queue.extend(command.tasks)
                        self._start()
                    case do.TakeBack():
                        count = min(command.limit, len(self._queue))
                        back = [self._queue.pop() for _ in range(count)]
                        following.append(on.GivenBack([(one.key, one.attempt) for one in back]))
                    case _:
                        pass  # nothing is cancelled, and data has no content here
            events = following

    def _start(self) -> None:
        stage, queue = self._stage, self._queue
        while queue:
            task = queue[0]
            job = stage.job_of(task)
            share = self.helper.occupied_by(stage.workload.kinds[job.kind].resources)
            idle = self._free >= self.helper.capacity.executors - ROUNDING
            if share > self._free + ROUNDING and not idle:
                return
            queue.popleft()
            self._free -= share
            stage.started(task)
            seconds = job.work / self.helper.speed
            self.busy += seconds * share
            stage.clock.at(
                stage.clock.now + seconds,
                lambda task=task, seconds=seconds, share=share: self._end(task, seconds, share),  # type: ignore[misc]
            )

    def _end(self, task: Assigned, seconds: float, share: float) -> None:
        self._free += share
        made = self._stage.made_by(task)
        outcome = Outcome(task.key, task.attempt, seconds=seconds, spawned=made)
        self._ended.append(outcome)
        self._start()
        if len(self._ended) == 1:
            now = self._stage.clock.now
            due = max(now, self._told + GATHER_SECONDS) if self._queue else now
            self._stage.clock.at(due, self._tell)

    def _tell(self) -> None:
        ended, self._ended = self._ended, []
        self._told = self._stage.clock.now
        self.feed([on.Reported(ended, [], [])])


def new_task(kind: int, place: int) -> NewTask:
    """Return the row of a job: its payload is its place in the workload."""
    return NewTask(kind, "", b"%d" % place)
