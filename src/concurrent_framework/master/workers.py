"""Handlers for what workers say, and for what their loss means. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import (
    applications,
    delivery,
    dispatch,
    lifecycle,
    retry,
    standing,
    timing,
)
from concurrent_framework.master.settling import Together, is_plain
from concurrent_framework.master.standing import Batch
from concurrent_framework.master.state import PeerRecord, WorkerRecord
from concurrent_framework.model.ids import ATTEMPT_MASK, FENCE_BITS, application_of
from concurrent_framework.protocol.application import NodeLost
from concurrent_framework.protocol.session import Resync
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.protocol.worker import Forget, OutcomesSafe
from concurrent_framework.scheduling.depth import seconds_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import (
        ApplicationRecord,
        MasterState,
        SpecRecord,
        TaskRecord,
    )
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.protocol import worker as work
    from concurrent_framework.protocol.session import Goodbye, Hello


_FENCE = ((1 << FENCE_BITS) - 1) << FENCE_BITS
"""The part of an attempt's number that tells tasks apart which had the same key in turn."""


def on_hello(reactor: MasterReactor, peer: Hashable, hello: Hello) -> None:
    """Take in a worker, and settle with it which tasks it still has."""
    state = reactor.state
    number = state.worker_sessions.get(hello.session)
    fresh = number is None
    if number is None:
        number = state.next_worker
        state.next_worker += 1
        worker = WorkerRecord(number, hello.session, hello.name or f"worker-{number}", reactor.now)
        state.workers[number] = worker
        state.worker_sessions[hello.session] = number
        worker.offer(hello.capacity)
        worker.host, worker.pid = hello.host, hello.pid
        reactor.journal.joined(worker)
        reactor.outbox.log(
            "info",
            f"worker {worker.name} joined from {hello.host}",
            "worker.joined",
            worker=worker.name,
        )
    worker = state.workers[number]
    if hello.greeting <= worker.greeting:
        reactor.outbox.send(peer, Resync())
        return
    worker.greeting = hello.greeting
    if worker.peer is not None and worker.peer != peer:
        reactor.disconnect(worker.peer)
    worker.peer = peer
    state.awaited.discard(number)
    worker.host, worker.pid, worker.version = hello.host, hello.pid, hello.version
    if fresh:
        standing.take_over(reactor, worker)
    worker.offer(hello.capacity)
    worker.last_heard = worker.last_outcome = reactor.now
    worker.credit = 0
    worker.recalling = False
    worker.safe_through = None
    worker.specs.clear()
    worker.digests = {digest for digest in hello.cached if digest in state.codes}
    state.peers[peer] = PeerRecord("execute", number)
    drop = _reconcile(reactor, worker, hello.holding)
    reactor.outbox.send(
        peer,
        reactor.welcome(
            number,
            pattern=reactor.scheduler.pattern,
            drop=tuple(drop),
            greeting=hello.greeting,
        ),
    )
    # What it keeps of applications that ended while it was away, or that an earlier master had.
    for ended in {application_of(key) for key, _ in drop} - state.applications.keys():
        reactor.outbox.send(peer, Forget(ended))
    announce(reactor, {number: worker.name})


def announce(reactor: MasterReactor, names: dict[int, str]) -> None:
    """Tell every application and host how large the swarm is now."""
    message = applications.workers_changed(reactor, names)
    peers = [application.peer for application in reactor.state.applications.values()]
    # The host of a system is an application itself.
    peers += [host.peer for host in reactor.state.hosts.values() if host.system is None]
    for peer in peers:
        if peer is not None:
            reactor.outbox.send(peer, message)


def _reconcile(
    reactor: MasterReactor, worker: WorkerRecord, holding: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Match a worker's tasks with the books; return those that it should drop."""
    state = reactor.state
    held: set[int] = set()
    drop = []
    for key, attempt in holding:
        record = state.tasks.get(key)
        if record is None or record.cancelled or not _current(state, record, attempt):
            drop.append((key, attempt))
        elif record.state == lifecycle.ASSIGNED and record.worker == worker.number:
            held.add(key)
        elif record.state in lifecycle.ADOPT:
            _adopt(reactor, worker, record, attempt)
            held.add(key)
        else:
            drop.append((key, attempt))
    missing = [record for key, record in worker.tasks.items() if key not in held]
    for record in missing:
        _requeue(reactor, worker, record, lifecycle.RECALL)
    _put_back(reactor, missing)
    return drop


def _current(state: MasterState, record: TaskRecord, attempt: int) -> bool:
    """Whether an attempt is a task's present one, or may become it.

    Who had a task under an earlier master was not written down, unless it must not run twice: whoever
    says so first has it. What had become of an attempt that failed or was lost was written down.
    """
    if record.attempt == attempt:
        return True
    waits = record.state in {lifecycle.WAITING, lifecycle.DELAYED} and record.spec.spec.idempotent
    same = not (record.attempt ^ attempt) & _FENCE
    later = attempt & ATTEMPT_MASK > record.attempt
    return waits and same and later and record.attempt < state.first_attempt > attempt


def _adopt(reactor: MasterReactor, worker: WorkerRecord, record: TaskRecord, attempt: int) -> None:
    """Give a waiting task back to the worker that already has it."""
    state = reactor.state
    if record.state == lifecycle.WAITING:
        state.queue.remove(dispatch.group_key(record), record)
    record.state = lifecycle.ADOPT[record.state]
    record.attempt = attempt
    record.worker = worker.number
    reactor.journal.handed([record])
    record.since = reactor.now
    worker.tasks[record.key] = record
    worker.in_flight[record.spec] = worker.in_flight.get(record.spec, 0) + 1
    worker.suspects += record.losses > 0
    counts = state.applications[application_of(record.key)].counts
    counts.waiting -= 1
    counts.assigned += 1


def _requeue(
    reactor: MasterReactor, worker: WorkerRecord, record: TaskRecord, event: dict[int, int]
) -> None:
    """Take a task off a worker; the caller puts it into the queue."""
    dispatch.release(worker, record)
    record.state = event[record.state]
    record.worker = 0
    record.since = reactor.now
    reactor.journal.returned(record)
    counts = reactor.state.applications[application_of(record.key)].counts
    counts.assigned -= 1
    counts.waiting += 1


def on_outcomes(
    reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: work.Outcomes
) -> None:
    """Take outcomes: each task's first that belongs to its present attempt, and no other."""
    state = reactor.state
    worker = state.workers[who.number]
    if worker.safe_through is not None and message.number != worker.safe_through + 1:
        reactor.outbox.send(peer, Resync())
        return
    worker.safe_through = message.number
    tasks, mine, in_flight = state.tasks, worker.tasks, worker.in_flight
    number, assigned = worker.number, lifecycle.ASSIGNED
    batch, together = Batch(), Together(reactor)
    measured = batch.measured
    example: tuple[TaskRecord, Outcome] | None = None
    for outcome in message.outcomes:
        record = tasks.get(outcome.key)
        if (
            record is None
            or record.attempt != outcome.attempt
            or record.state != assigned
            or record.worker != number
        ):
            state.stale += 1
            continue
        outcome.worker = number
        example = record, outcome
        spec = record.spec
        del mine[outcome.key]
        in_flight[spec] -= 1
        if not in_flight[spec]:
            del in_flight[spec]
        if record.history:
            worker.suspects -= record.losses > 0
            if record.failures and outcome.failure is None:
                batch.redeemed.append(record)
        measured[spec].append(seconds_of(outcome, spec.seconds))
        application = state.applications[application_of(outcome.key)]
        if is_plain(state, record, outcome):
            together.add(application, record, outcome)
            continue
        together.settle()
        application.counts.assigned -= 1
        if outcome.failure is not None:
            _failed(reactor, worker, application, record, outcome, batch)
            continue
        if outcome.spawned:
            applications.spawn(
                reactor, application, record.root, outcome, cancelled=record.cancelled
            )
        applications.complete(reactor, application, record, outcome)
    together.settle()
    dispatch.enqueue(state, batch.again)
    if example is not None:
        reactor.chronicle.ran(worker.name, *example, len(message.outcomes))
        delivery.watch(reactor, example[0].key)
    _measure(worker, measured)
    standing.judge(reactor, worker, batch)
    worker.last_outcome = reactor.now
    worker.finished += len(message.outcomes)
    state.outcomes += len(message.outcomes)
    reactor.outbox.acknowledge(peer, OutcomesSafe(message.number), reactor.now)


def _failed(
    reactor: MasterReactor,
    worker: WorkerRecord,
    application: ApplicationRecord,
    record: TaskRecord,
    outcome: Outcome,
    batch: Batch,
) -> None:
    """Decide whether a failed attempt is the task's outcome; a retry is added to `batch.again`."""
    failure: Failure = outcome.failure  # type: ignore[assignment]  # the caller has checked
    epoch = reactor.state.settings.epoch
    retry.note_attempt(record, worker.name, retry.end_of(failure), reactor.now, epoch)
    batch.failed.append(record)
    lost = failure.kind == "worker_lost"
    if lost:
        batch.lost.append(record)
    if lost or retry.is_wanted(record, failure):
        record.losses += lost
        record.failures += not lost
        reactor.journal.lost(record)
        if retry.should_retry(record):
            record.state = lifecycle.LOSE[record.state]
            record.worker = 0
            record.since = reactor.now
            application.counts.waiting += 1
            timing.again(reactor, record, batch.again)
            return
    if record.overdue and failure.kind in {"cancelled", "worker_lost"}:
        failure = retry.overdue(record, failure.certificate)
    outcome.failure = retry.with_history(failure, record, standing.suspect(record, worker, epoch))
    applications.complete(reactor, application, record, outcome)


def _measure(worker: WorkerRecord, measured: dict[SpecRecord, list[float]]) -> None:
    """Learn from run times: the specs' means, and how fast the worker is relative to them."""
    expected = spent = 0.0
    for spec, seconds in measured.items():
        total = sum(seconds)
        if spec.seconds is not None:
            expected += spec.seconds * len(seconds)
            spent += total
        spec.measured(len(seconds), total)
    if spent > 0:
        worker.speed += 0.1 * (min(max(expected / spent, 0.1), 10.0) - worker.speed)


def on_want(reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: work.Want) -> None:
    """Note how much more a worker asks for."""
    worker = reactor.state.workers[who.number]
    if not worker.credit:
        reactor.state.asks += 1
        worker.asked = reactor.state.asks
    worker.credit += message.tasks


def on_recalled(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: work.Recalled
) -> None:
    """Queue what a worker has given back."""
    state = reactor.state
    worker = state.workers[who.number]
    worker.recalling = False
    back = []
    for key, attempt in message.tasks:
        record = worker.tasks.get(key)
        if record is None or record.attempt != attempt:
            continue
        _requeue(reactor, worker, record, lifecycle.RECALL)
        back.append(record)
    _put_back(reactor, back)


def _put_back(reactor: MasterReactor, records: list[TaskRecord]) -> None:
    """Queue tasks that came back unstarted; those cancelled meanwhile end here."""
    dispatch.enqueue(reactor.state, records, front=True)
    cancelled = [record for record in records if record.cancelled]
    for record in cancelled:
        record.cancelled = False
    applications.cancel(reactor, cancelled)


def on_capacity(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: work.CapacityChanged
) -> None:
    """Note what a worker offers now."""
    reactor.state.workers[who.number].offer(message.capacity)
    announce(reactor, {})


def on_goodbye(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: Goodbye) -> None:
    """Let a worker go; what it had and has not reported is run elsewhere."""
    worker = reactor.state.workers[who.number]
    reactor.disconnect(peer)
    lose(reactor, worker, message.reason or "it left", blame=False)


def lose(reactor: MasterReactor, worker: WorkerRecord, reason: str, *, blame: bool = True) -> None:
    """Take back everything of a worker that is gone.

    With `blame`, each of its tasks is a suspect from now on: any of them may have brought it down.
    """
    state = reactor.state
    del state.workers[worker.number]
    state.awaited.discard(worker.number)
    reactor.journal.gone(worker)
    state.worker_sessions.pop(worker.session, None)
    reactor.outbox.log(
        "warning" if blame else "info",
        f"worker {worker.name} is gone ({reason}); it had {len(worker.tasks)} tasks",
        "worker.lost" if blame else "worker.left",
        worker=worker.name,
    )
    if blame:
        standing.lost(reactor, worker)
    standing.leave(reactor, worker)
    affected: dict[int, int] = {}
    again: list[TaskRecord] = []
    for record in list(worker.tasks.values()):
        application = state.applications[application_of(record.key)]
        owner = state.owner_of(application).number
        affected[owner] = affected.get(owner, 0) + 1
        end = "worker lost" if blame else retry.GIVEN_BACK
        retry.note_attempt(record, worker.name, end, reactor.now, state.settings.epoch)
        _requeue(reactor, worker, record, lifecycle.LOSE)
        record.losses += blame
        reactor.journal.lost(record)
        if record.cancelled:
            _give_up(reactor, application, record, retry.cancelled(record))
        elif (blame or not record.spec.spec.idempotent) and not retry.should_retry(record):
            known = standing.suspect(record, worker, state.settings.epoch)
            blamed = known or ("task" if record.losses > 1 else "worker")
            failure = retry.worker_lost(record, worker, reason, blamed, reactor.now)
            _give_up(reactor, application, record, failure)
        elif blame:
            timing.again(reactor, record, again)
        else:
            again.append(record)
    dispatch.enqueue(state, again, front=True)
    for number, tasks in affected.items():
        peer = state.applications[number].peer
        if peer is not None and blame:
            reactor.outbox.send(peer, NodeLost(worker.name, tasks, reason))
    announce(reactor, {})


def _give_up(
    reactor: MasterReactor, application: ApplicationRecord, record: TaskRecord, failure: Failure
) -> None:
    application.counts.waiting -= 1
    outcome = Outcome(record.key, record.attempt, failure=failure)
    applications.complete(reactor, application, record, outcome)
