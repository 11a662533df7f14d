"""Handlers for what applications say: who they are, what they push, what they cancel. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import data, delivery, dispatch, lifecycle, retry, systems
from concurrent_framework.master.state import (
    ApplicationRecord,
    PeerRecord,
    SpecRecord,
    TaskRecord,
    Undelivered,
)
from concurrent_framework.model.ids import (
    FIRST_SPAWNED_SPEC,
    SPEC_BITS,
    application_of,
    task_key,
)
from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol.application import (
    Accepted,
    Define,
    HostJob,
    Output,
    WorkersChanged,
)
from concurrent_framework.protocol.session import Resync
from concurrent_framework.protocol.tasks import Outcome, SpecEntry
from concurrent_framework.protocol.worker import CancelRuns, Forget

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.protocol import application as app
    from concurrent_framework.protocol.session import Goodbye, Hello
    from concurrent_framework.protocol.tasks import NewTask
    from concurrent_framework.scheduling.queue import GroupKey


def on_hello(reactor: MasterReactor, peer: Hashable, hello: Hello) -> None:
    """Take in an application: a new one, one that reconnects, or a process that attaches."""
    state = reactor.state
    number = state.sessions.get(hello.session)
    if number is None:
        number = open_application(reactor, hello.session, hello.name or "application", parent=0)
        reactor.outbox.log("info", f"application {number} ({hello.name}) joined from {hello.host}")
    application = state.applications[number]
    same_process = (hello.host, hello.pid) == (application.host, application.pid)
    if same_process and hello.greeting <= application.greeting:
        reactor.outbox.send(peer, Resync())
        return
    if application.peer is not None and application.peer != peer:
        alive = reactor.now - application.last_heard < state.settings.lease
        if alive and not same_process:
            reason = (
                f"application {number} ({application.name}) is connected from process"
                f" {application.pid} on {application.host}; end that one, or attach when it is gone"
            )
            reactor.outbox.log("warning", f"refused a second process: {reason}")
            reactor.refuse(peer, "limit", reason)
            return
        reactor.disconnect(application.peer)
    application.host, application.pid = hello.host, hello.pid
    application.greeting = hello.greeting
    state.queue.shares.weigh(number, hello.weight)
    application.weight = hello.weight
    attach(reactor, application, peer, PeerRecord("submit", number), hello)


def open_application(reactor: MasterReactor, session: str, name: str, *, parent: int) -> int:
    """Make the record of a new application, or of a system's tasks; return its number."""
    state = reactor.state
    number = state.next_number
    state.next_number += 1
    application = ApplicationRecord(number, session, name, parent=parent, now=reactor.now)
    state.applications[number] = application
    state.sessions[session] = number
    return number


def attach(
    reactor: MasterReactor,
    application: ApplicationRecord,
    peer: Hashable,
    who: PeerRecord,
    hello: Hello,
) -> None:
    """Connect a peer to its application and reconcile what each holds."""
    state = reactor.state
    state.peers[peer] = who
    application.peer = peer
    application.last_heard = reactor.now
    application.away_since = None
    application.detached = False
    if hello.delivered >= 0:
        delivery.acknowledge(application, hello.delivered)
    else:
        application.knows_from = application.accepted + 1
    application.outgoing.extendleft(reversed(application.unacknowledged))
    application.unacknowledged.clear()
    settings = state.settings
    reactor.outbox.send(
        peer,
        reactor.welcome(
            application.number,
            accepted=application.accepted,
            window_tasks=settings.window_tasks,
            window_bytes=settings.window_bytes,
            unfinished=application.unfinished,
        ),
    )
    names = {worker.number: worker.name for worker in state.workers.values()}
    reactor.outbox.send(peer, workers_changed(reactor, names))
    if who.role == "submit" and (application.knows_from > 1 or application.spawned_specs):
        reactor.outbox.send(peer, known_code(reactor, application))
    if application.backlog:
        reactor.outbox.send(peer, Output(tuple(application.backlog)))
        application.backlog.clear()
    state.talkative.add(application.number)


def known_code(reactor: MasterReactor, application: ApplicationRecord) -> HostJob:
    """Return what a new process needs to rebuild an application's tasks."""
    codes = reactor.state.codes
    return HostJob(
        None,
        tuple(SpecEntry(number, record.spec) for number, record in application.specs.items()),
        tuple(codes[digest] for digest in sorted(application.digests)),
    )


def workers_changed(reactor: MasterReactor, names: dict[int, str]) -> WorkersChanged:
    """Return the swarm's size as an application should know it."""
    present = [worker for worker in reactor.state.workers.values() if worker.peer is not None]
    executors = sum(worker.capacity.executors for worker in present)
    return WorkersChanged(len(present), executors, names)


def on_define(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.Define
) -> None:
    """Learn specs and code."""
    define(reactor, reactor.state.applications[who.number], message)


def define(reactor: MasterReactor, application: ApplicationRecord, message: app.Define) -> None:
    """Add specs and code to an application."""
    if message.released:
        data.release(reactor, application, message.released)
    for blob in message.codes:
        reactor.state.codes.setdefault(blob.digest, blob)
        if blob.kind == data.KIND:
            application.shares.add(blob.digest)
            application.released.discard(blob.digest)
        else:
            application.digests.add(blob.digest)
    for entry in message.specs:
        if entry.number not in application.specs:
            number = dispatch.local_number(application.number, entry.number)
            application.specs[entry.number] = SpecRecord(number, entry.spec)
    host = application.finisher
    if host is not None and host.peer is not None:
        codes = tuple(blob for blob in message.codes if blob.kind != data.KIND)
        reactor.outbox.send(host.peer, HostJob(None, message.specs, codes))


def on_submit(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: app.Submit) -> None:
    """Accept tasks, in order and each sequence once."""
    application = reactor.state.applications[who.number]
    expected = application.accepted + 1
    if message.first > expected:
        reactor.outbox.send(peer, Resync())
        return
    rows = message.tasks[expected - message.first :]
    if rows:
        application.accepted += len(rows)
        _submit(reactor, application, expected, rows)
    reactor.outbox.send(peer, Accepted(application.accepted))


def _submit(
    reactor: MasterReactor,
    application: ApplicationRecord,
    first: int,
    rows: Iterable[NewTask],
) -> None:
    """Make the records of new tasks and queue them."""
    specs, tasks, now = application.specs, reactor.state.tasks, reactor.now
    records = []
    key = task_key(application.number, first)
    for row in rows:
        spec = specs.get(row.spec)
        if spec is None:
            failure = Failure(
                "failed", "ProtocolError", f"{row.name} refers to spec {row.spec}, never defined"
            )
            application.counts.submitted += 1
            application.counts.failed += 1
            application.outgoing.append(Undelivered(Outcome(key, 0, failure=failure), row, None))
            reactor.state.talkative.add(application.number)
        else:
            record = TaskRecord(key, spec, row, since=now, arrived=now)
            tasks[key] = record
            records.append(record)
        key += 1
    application.counts.submitted += len(records)
    application.counts.waiting += len(records)
    dispatch.enqueue(reactor.state, records)


def spawn(
    reactor: MasterReactor, application: ApplicationRecord, outcome: Outcome, *, cancelled: bool
) -> None:
    """Accept the tasks that a task made; from here on only their number is left in its outcome.

    With `cancelled`, the task was to be cancelled and had ended before: then these are.
    """
    rows = outcome.spawned
    if outcome.specs:
        numbers = _adopt_specs(reactor, application, outcome)
        for row in rows:
            row.spec = numbers.get(row.spec, row.spec)
    first = application.next_spawned
    application.next_spawned += len(rows)
    _submit(reactor, application, first, rows)
    if cancelled:
        # Whoever cancelled the task could not name these yet.
        keys = range(
            task_key(application.number, first), task_key(application.number, first + len(rows))
        )
        cancel(reactor, [reactor.state.tasks[key] for key in keys if key in reactor.state.tasks])
    outcome.children = len(rows)
    outcome.spawned = ()
    outcome.specs = ()
    outcome.codes = ()


def _adopt_specs(
    reactor: MasterReactor, application: ApplicationRecord, outcome: Outcome
) -> dict[int, int]:
    """Number the specs that came with spawned tasks, equal ones alike; old numbers to new ones."""
    numbers: dict[int, int] = {}
    entries = []
    for entry in outcome.specs:
        number = application.spawned_specs.get(entry.spec)
        if number is None:
            number = FIRST_SPAWNED_SPEC + len(application.spawned_specs)
            application.spawned_specs[entry.spec] = number
            entries.append(SpecEntry(number, entry.spec))
        numbers[entry.number] = number
    define(reactor, application, Define(tuple(entries), outcome.codes))
    if entries and application.peer is not None:
        reactor.outbox.send(application.peer, HostJob(None, tuple(entries), outcome.codes))
    return numbers


def complete(
    reactor: MasterReactor, application: ApplicationRecord, record: TaskRecord, outcome: Outcome
) -> None:
    """Take a task's one outcome; the caller has taken it off its worker's books and counted it."""
    if outcome.failure is not None:
        application.failures.append((record.key, record.task.name, outcome.failure))
    application.task_progress.pop(record.key, None)
    if record.spec.spec.notifies and not application.parent:
        record.state = lifecycle.FINISH[record.state]
        application.counts.finishing += 1
        systems.call_finished(reactor, application, record, outcome)
        return
    settle(reactor, application, record, outcome)


def settle(
    reactor: MasterReactor, application: ApplicationRecord, record: TaskRecord, outcome: Outcome
) -> None:
    """Put an outcome into the application's outbox and forget the task."""
    record.state = lifecycle.COMPLETE[record.state]
    del reactor.state.tasks[record.key]
    counts = application.counts
    if outcome.failure is None:
        counts.finished += 1
    elif outcome.failure.kind == "cancelled":
        counts.cancelled += 1
    else:
        counts.failed += 1
    application.outgoing.append(Undelivered(outcome, record.task, record.spec))
    reactor.state.talkative.add(application.number)


def on_cancel(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.CancelTasks
) -> None:
    """Cancel some of an application's tasks, or all."""
    number = who.number
    tasks = reactor.state.tasks
    if message.sequences or message.specs:
        keys = (task_key(number, sequence) for sequence in message.sequences)
        records = [tasks[key] for key in keys if key in tasks]
        if message.specs:
            specs = {dispatch.local_number(number, spec) for spec in message.specs}
            records += [
                record for record in reactor.state.records_of(number) if record.spec.number in specs
            ]
        application = reactor.state.applications[number]
        for sequence in message.sequences:
            if sequence in application.systems:
                systems.cancel(reactor, application, application.systems[sequence])
    else:
        records = reactor.state.records_of(number)
        for system in list(reactor.state.applications[number].systems.values()):
            systems.cancel(reactor, reactor.state.applications[number], system)
    cancel(reactor, records)


def cancel(reactor: MasterReactor, records: Iterable[TaskRecord]) -> int:
    """Cancel tasks: those that wait at once, those at workers as soon as they can; how many."""
    state = reactor.state
    at_workers: dict[int, list[tuple[int, int]]] = {}
    count = 0
    for record in records:
        if record.cancelled or record.state == lifecycle.FINISHING:
            continue
        count += 1
        record.cancelled = True
        if record.state == lifecycle.ASSIGNED:
            at_workers.setdefault(record.worker, []).append((record.key, record.attempt))
            continue
        application = state.applications[application_of(record.key)]
        application.counts.waiting -= 1
        key = dispatch.group_key(record)
        outcome = Outcome(record.key, record.attempt, failure=retry.cancelled(record))
        complete(reactor, application, record, outcome)
        state.queue.withdraw(key, 1)
    for number, tasks in at_workers.items():
        peer = state.workers[number].peer
        if peer is not None:
            reactor.outbox.send(peer, CancelRuns(tuple(tasks)))
    return count


def on_goodbye(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: Goodbye) -> None:
    """Let an application go: for good, or detached until somebody attaches."""
    application = reactor.state.applications[who.number]
    reactor.disconnect(peer)
    application.peer = None
    application.away_since = reactor.now
    if message.detach:
        application.detached = True
        reactor.outbox.log("info", f"application {application.number} detached")
    else:
        end_application(reactor, application, message.reason or "it ended")


def end_application(reactor: MasterReactor, application: ApplicationRecord, reason: str) -> None:
    """Drop an application with everything it has: tasks, systems, hosts, code."""
    state = reactor.state
    for system in list(application.systems.values()):
        systems.end(reactor, application, system)
    if application.finisher is not None:
        systems.end_host(reactor, application.finisher)
        application.finisher = None
    withdrawn: dict[GroupKey, int] = {}
    for record in state.records_of(application.number):
        if record.state == lifecycle.ASSIGNED:
            dispatch.release(state.workers[record.worker], record)
        elif record.state == lifecycle.WAITING:
            key = dispatch.group_key(record)
            withdrawn[key] = withdrawn.get(key, 0) + 1
        record.state = lifecycle.DONE
        del state.tasks[record.key]
    for key, count in withdrawn.items():
        state.queue.withdraw(key, count)
    for worker in state.workers.values():
        known = {number for number in worker.specs if number >> SPEC_BITS == application.number}
        if known:
            worker.specs -= known
            if worker.peer is not None:
                reactor.outbox.send(worker.peer, Forget(application.number))
    del state.applications[application.number]
    state.sessions.pop(application.session, None)
    state.queue.shares.forget(application.number)
    state.talkative.discard(application.number)
    others = state.applications.values()
    used = {digest for other in others for digest in other.digests | other.shares}
    for digest in (application.digests | application.shares) - used:
        state.codes.pop(digest, None)
        for worker in state.workers.values():
            worker.digests.discard(digest)
    reactor.outbox.log("info", f"application {application.number} ({application.name}): {reason}")
