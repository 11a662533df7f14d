"""Which workers get new work. PURE.

A worker on which everything fails is quarantined. The rule: its last attempts, `quarantine_after` of
them without a success in between, of two tasks or more, failed in a way that speaks against the
worker, while another worker of good standing has succeeded with the same kind of task. An attempt
speaks against the worker if what ran it died, or if the task was attempted again and succeeded
elsewhere. After a while the worker gets a single task: if that succeeds it is as good as any other,
if not it waits twice as long. The only worker that can run something is never quarantined, and if all that
are left are, they get one task at a time.

That stands against the machine and not only against the process: a worker that was lost with all that it
had counts as one that failed it, and one that is started in its place begins where it was (`grounds`).

People may drain a worker: it finishes what it has and gets nothing new until they resume it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from concurrent_framework.master import relay
from concurrent_framework.master.agenda import NOBODY
from concurrent_framework.master.retry import GIVEN_BACK
from concurrent_framework.model.ids import application_of, task_key
from concurrent_framework.protocol.application import Output
from concurrent_framework.protocol.tasks import OutputLine
from concurrent_framework.protocol.worker import Recall

if TYPE_CHECKING:
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import (
        SpecRecord,
        TaskRecord,
        WorkerRecord,
    )
    from concurrent_framework.model.outcome import Suspect
    from concurrent_framework.model.resources import Resources

LONGEST_QUARANTINE = 3600.0
"""Seconds between two trials of a worker at most."""
KEPT = 64
"""Tasks and specs of a worker's failures that are remembered."""
AVOIDED = 10.0
"""Seconds for which a task prefers other workers to one on which it failed."""
LOSSES = ("worker lost", "WorkerLost")
"""How the ends of attempts begin that were losses, in a task's history."""


class Standing:
    """How one worker is doing.

    Attributes:
        draining: people want it to get nothing new.
        quarantined: it gets nothing before `until`, and then a single task.
        until: when that is.
        interval: seconds it waits at present for that.
        streak: failures that speak against it since its last success.
        began: when the first of them was.
        tasks: of which tasks they were.
        specs: and of which kinds.
        last: what the last of them was, for people.

    """

    __slots__ = (
        "began", "draining", "interval", "last", "quarantined", "specs", "streak", "tasks", "until",
    )  # fmt: skip

    def __init__(self) -> None:
        self.draining = False
        self.quarantined = False
        self.until = 0.0
        self.interval = 0.0
        self.streak = 0
        self.began = 0.0
        self.tasks: set[int] = set()
        self.specs: set[SpecRecord] = set()
        self.last = ""

    def clear(self) -> None:
        """Forget what spoke against it."""
        self.quarantined = False
        self.until = self.interval = self.began = 0.0
        self.streak = 0
        self.tasks.clear()
        self.specs.clear()
        self.last = ""


def takes_work(worker: WorkerRecord, now: float) -> bool:
    """Whether a worker may get something new; one on trial only if it has nothing."""
    standing = worker.standing
    if standing.draining:
        return False
    return not standing.quarantined or (now >= standing.until and not worker.tasks)


def state_of(worker: WorkerRecord, now: float) -> str:
    """Return a worker's standing in a word or two."""
    standing = worker.standing
    if standing.draining:
        return "draining" if worker.tasks else "drained"
    if standing.quarantined:
        return "on trial" if now >= standing.until else "quarantined"
    return "active"


def reason_of(worker: WorkerRecord, now: float) -> str:
    """Say why a worker gets nothing new, or a single task; empty if it is like any other."""
    standing = worker.standing
    if standing.draining:
        return f"it is drained; `concurrent resume {worker.name}` ends that"
    if not standing.quarantined:
        return ""
    left = standing.until - now
    when = f"in {left:.0f} s" if left > 0 else "now"
    return (
        f"its last {standing.streak} attempts failed while others succeed (the last: "
        f"{standing.last}); it gets a single task {when}"
    )


class Batch:
    """What is gathered of a batch of outcomes of one worker while it is taken in.

    Attributes:
        measured: seconds that the tasks of each spec ran.
        failed: tasks without a result.
        lost: those of them whose attempt was lost.
        again: those of them to be queued again at once.
        redeemed: tasks that succeeded after an attempt had failed.

    """

    __slots__ = ("again", "failed", "lost", "measured", "redeemed")

    def __init__(self) -> None:
        self.measured: defaultdict[SpecRecord, list[float]] = defaultdict(list)
        self.failed: list[TaskRecord] = []
        self.lost: list[TaskRecord] = []
        self.again: list[TaskRecord] = []
        self.redeemed: list[TaskRecord] = []


def judge(reactor: MasterReactor, worker: WorkerRecord, batch: Batch) -> None:
    """Learn from a batch of outcomes of a worker."""
    succeeded = {spec: len(seconds) for spec, seconds in batch.measured.items()}
    for record in batch.failed:
        succeeded[record.spec] -= 1
    worked = False
    for spec, count in succeeded.items():
        if count:
            spec.good_at, spec.good_on = reactor.now, worker.number
            worked = True
    if worked:
        worker.good_at = reactor.now
    if worked and worker.standing.streak:
        _works(reactor, worker)
    for record in batch.redeemed:
        elsewhere = {attempt.worker for attempt in record.history if _failed(attempt.end)}
        for name in elsewhere - {worker.name}:
            named = [one for one in reactor.state.workers.values() if one.name == name]
            if len(named) == 1:
                _blame(reactor, named[0], record)
    for record in batch.lost:
        _blame(reactor, worker, record)


def lost(reactor: MasterReactor, worker: WorkerRecord) -> None:
    """Count the loss of a worker that has not done anything as a failure of one of its tasks.

    Any of them may be to blame, so it is evidence only together with others: `KEPT` bounds them.
    """
    standing = worker.standing
    if not worker.tasks or worker.good_at >= 0:
        return
    if not standing.streak:
        standing.began = reactor.now
    standing.streak += 1
    for record in list(worker.tasks.values())[: KEPT - len(standing.tasks)]:
        standing.tasks.add(record.key)
        standing.specs.add(record.spec)
    standing.last = "the worker was lost"
    if standing.quarantined:
        _fail_trial(reactor, worker)


def leave(reactor: MasterReactor, worker: WorkerRecord) -> None:
    """Keep what speaks against a worker that is gone for those after it on its machine."""
    reactor.journal.judged(*reactor.state.grounds.leave(worker))


def take_over(reactor: MasterReactor, worker: WorkerRecord) -> None:
    """Let a new worker begin where one before it on its machine was, if something spoke against that."""
    found = reactor.state.grounds.take(worker)
    if found is None:
        return
    where, before = found
    worker.standing = before
    before.draining = False
    reactor.journal.judged(where, worker.number)
    if before.quarantined:
        reactor.outbox.log(
            "warning",
            f"worker {worker.name} is quarantined as one before it on {worker.host} was:"
            f" {reason_of(worker, reactor.now)}; if the machine is mended,"
            f" `concurrent resume {worker.name}` ends that",
        )
    else:
        _weigh(reactor, worker)


def _failed(end: str) -> bool:
    return end != GIVEN_BACK and not end.startswith(LOSSES)


def _works(reactor: MasterReactor, worker: WorkerRecord) -> None:
    if worker.standing.quarantined:
        reactor.outbox.log("info", f"worker {worker.name} works again: its quarantine is over")
    worker.standing.clear()
    reactor.journal.judged(worker.number)


def _blame(reactor: MasterReactor, worker: WorkerRecord, record: TaskRecord) -> None:
    standing, now = worker.standing, reactor.now
    if not standing.streak:
        standing.began = now
    standing.streak += 1
    if len(standing.tasks) < KEPT:
        standing.tasks.add(record.key)
    if len(standing.specs) < KEPT:
        standing.specs.add(record.spec)
    ends = [attempt.end for attempt in record.history if attempt.worker == worker.name]
    standing.last = f"{record.task.name}: {ends[-1] if ends else 'lost'}"
    reactor.journal.judged(worker.number)
    if standing.quarantined:
        _fail_trial(reactor, worker)
    else:
        _weigh(reactor, worker)


def _fail_trial(reactor: MasterReactor, worker: WorkerRecord) -> None:
    """Let a worker that failed its trial wait for the next twice as long."""
    standing, now = worker.standing, reactor.now
    if now >= standing.until:
        standing.interval = min(2 * standing.interval, LONGEST_QUARANTINE)
        standing.until = now + standing.interval
        reactor.state.agenda.add(standing.until, NOBODY)
        reactor.outbox.log(
            "warning",
            f"worker {worker.name} failed its trial ({standing.last}); the next is in"
            f" {standing.interval:g} s",
        )


def _weigh(reactor: MasterReactor, worker: WorkerRecord) -> None:
    """Quarantine a worker if enough speaks against it."""
    standing = worker.standing
    after = reactor.state.settings.quarantine_after
    if (
        0 < after <= standing.streak
        and len(standing.tasks) > 1
        and _others_succeed(reactor, worker)
    ):
        _quarantine(reactor, worker)


def _others_succeed(reactor: MasterReactor, worker: WorkerRecord) -> bool:
    proven = _proven(worker)
    return any(
        other is not worker
        and other.peer is not None
        and not other.standing.streak
        and takes_work(other, reactor.now)
        and any(other.capacity.can_run(need) for need in proven)
        for other in reactor.state.workers.values()
    )


def _proven(worker: WorkerRecord) -> list[Resources]:
    """Return what those kinds of tasks need that have failed here while others succeeded."""
    standing = worker.standing
    return [
        spec.spec.resources
        for spec in standing.specs
        if spec.good_on != worker.number and spec.good_at >= standing.began
    ]


def _quarantine(reactor: MasterReactor, worker: WorkerRecord) -> None:
    state, standing = reactor.state, worker.standing
    standing.quarantined = True
    standing.interval = state.settings.quarantine
    standing.until = reactor.now + standing.interval
    state.agenda.add(standing.until, NOBODY)
    text = f"worker {worker.name} is quarantined: {reason_of(worker, reactor.now)}"
    reactor.outbox.log("warning", text)
    for number in sorted({application_of(key) for key in standing.tasks}):
        application = state.applications.get(number)
        if application is not None:
            line = OutputLine(task_key(number, 0), "master", "", "warning", text)
            relay.show(reactor, application, Output((line,)))
    if worker.tasks and not worker.recalling and worker.peer is not None:
        worker.recalling = True
        reactor.outbox.send(worker.peer, Recall(len(worker.tasks)))


def suspect(record: TaskRecord, worker: WorkerRecord, epoch: float) -> Suspect | None:
    """Return whom the evidence of a task's attempts is against; None if there is none.

    A task that was lost on different workers is to blame, or again on one that did well in between. A
    worker is on which several died without one that succeeded, if they were of different kinds or
    others succeed with such tasks. `epoch` is the unix time when the core's clock was at zero.
    """
    losses = [attempt for attempt in record.history if attempt.end.startswith(LOSSES)]
    lost_on = {attempt.worker for attempt in losses}
    if len(lost_on) > 1:
        return "task"
    if worker.name in lost_on and len(losses) > 1 and losses[0].ended < epoch + worker.good_at:
        return "task"
    standing = worker.standing
    if standing.quarantined:
        return "worker"
    several = worker.name in lost_on and len(standing.tasks - {record.key}) > 1
    if several and (len(standing.specs) > 1 or _proven(worker)):
        return "worker"
    return None


def avoids(record: TaskRecord, worker: WorkerRecord, now: float, epoch: float) -> bool:
    """Whether a task should rather be attempted on another worker, if there is one that could.

    It does not return to a worker on which it failed or was lost before something has succeeded
    there, for a while. `epoch` is the unix time when the core's clock was at zero.
    """
    return any(
        attempt.worker == worker.name
        and attempt.end != GIVEN_BACK
        and epoch + now - attempt.ended < AVOIDED
        and epoch + worker.good_at < attempt.ended
        for attempt in record.history
    )
