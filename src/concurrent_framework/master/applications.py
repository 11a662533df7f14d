"""Handlers for what applications say: who they are, what they push, what they cancel. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import (
    data,
    delivery,
    dispatch,
    letters,
    lifecycle,
    retry,
    systems,
    timing,
    views,
)
from concurrent_framework.master.state import (
    ApplicationRecord,
    Echo,
    PeerRecord,
    SpecRecord,
    TaskRecord,
)
from concurrent_framework.model.ids import (
    FENCE_BITS,
    FIRST_SPAWNED_SPEC,
    SEQUENCE_MASK,
    SPEC_BITS,
    application_of,
    task_key,
)
from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import DATA
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

ECHO_LINES = 200
"""Pieces of output that are kept of an application that has ended."""


def on_hello(reactor: MasterReactor, peer: Hashable, hello: Hello) -> None:
    """Take in an application: a new one, one that reconnects, or a process that attaches."""
    state = reactor.state
    number = state.sessions.get(hello.session)
    if number is None:
        number = open_application(reactor, hello.session, hello.name or "application", parent=0)
        reactor.outbox.log(
            "info",
            f"application {number} ({hello.name}) joined from {hello.host}",
            "application.joined",
            application=number,
        )
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
    if not application.steered and application.weight != hello.weight:
        application.weight = hello.weight
        reactor.journal.changed(application)
    state.queue.shares.weigh(number, application.weight)
    attach(reactor, application, peer, PeerRecord("submit", number), hello)


def open_application(reactor: MasterReactor, session: str, name: str, *, parent: int) -> int:
    """Make the record of a new application, or of a system's tasks; return its number."""
    state = reactor.state
    number = state.next_number
    state.next_number += 1
    application = ApplicationRecord(number, session, name, parent=parent, now=reactor.now)
    state.applications[number] = application
    state.sessions[session] = number
    reactor.journal.changed(application)
    if parent in state.applications:
        application.raised = state.applications[parent].raised
        if state.applications[parent].paused:
            state.queue.paused.add(number)
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
    if hello.delivered >= 0:
        delivery.acknowledge(reactor, application, hello.delivered)
    else:
        application.knows_from = application.accepted + 1
    if application.detached or application.knows_from > application.accepted:
        application.detached = False
        reactor.journal.changed(application)
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
            unfinished=application.untold if hello.delivered < 0 else application.unfinished,
            added=application.added,
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
    codes = [
        blob
        for blob in message.codes
        if blob.digest in application.released or not application.has(blob.digest)
    ]
    again = [blob for blob in codes if blob.digest in application.shares]
    for blob in codes:
        reactor.state.codes.setdefault(blob.digest, blob)
        known = application.shares if blob.kind == DATA else application.digests
        known.add(blob.digest)
    application.released.difference_update(blob.digest for blob in message.codes)
    specs = [entry for entry in message.specs if entry.number not in application.specs]
    for entry in specs:
        number = dispatch.local_number(application.number, entry.number)
        application.specs[entry.number] = SpecRecord(number, entry.spec, application.raised)
        application.has_deadlines |= entry.spec.deadline > 0
    reactor.journal.defined(application, Define(tuple(specs), tuple(codes), message.released))
    reactor.journal.dropped(application, again)  # the earlier copies of them
    host = application.finisher
    if host is not None and host.peer is not None:
        code = tuple(blob for blob in message.codes if blob.kind != DATA)
        reactor.outbox.send(host.peer, HostJob(None, message.specs, code))


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
    reactor.outbox.acknowledge(peer, Accepted(application.accepted), reactor.now)


def _submit(
    reactor: MasterReactor,
    application: ApplicationRecord,
    first: int,
    rows: list[NewTask],
    root: int = 0,
) -> None:
    """Make the records of new tasks, descendants of one that was pushed or 0, and queue them."""
    reactor.journal.submitted(application, first, rows, reactor.now, root)
    specs, tasks, now = application.specs, reactor.state.tasks, reactor.now
    fence = application.rollbacks << FENCE_BITS
    records = []
    key = task_key(application.number, first)
    name, descends = "", application.parent > 0  # only a system can go back, and needs the root
    for row in rows:
        spec = specs.get(row.spec)
        if row.name == name:
            row.name = name  # one string for all that are called so
        else:
            name = row.name
        if spec is None:
            failure = Failure(
                "failed", "ProtocolError", f"{row.name} refers to spec {row.spec}, never defined"
            )
            application.counts.submitted += 1
            application.counts.failed += 1
            outcome = Outcome(key, 0, failure=failure)
            delivery.put(reactor, application, outcome, row, None, root or key & SEQUENCE_MASK)
        else:
            record = TaskRecord(key, spec, row, attempt=fence, since=now, arrived=now)
            if descends:
                record.root = root or key & SEQUENCE_MASK
            tasks[key] = record
            records.append(record)
        key += 1
    application.counts.submitted += len(records)
    application.counts.waiting += len(records)
    dispatch.enqueue(reactor.state, records)
    if application.has_deadlines:
        timing.watch(reactor, records)


def spawn(
    reactor: MasterReactor,
    application: ApplicationRecord,
    root: int,
    outcome: Outcome,
    *,
    cancelled: bool = False,
) -> None:
    """Accept the tasks that a task made; from here on only their number is left in its outcome.

    With `cancelled`, the task was to be cancelled and had ended before: then these are.
    """
    rows = list(outcome.spawned)
    if outcome.specs:
        numbers = _adopt_specs(reactor, application, outcome)
        for row in rows:
            row.spec = numbers.get(row.spec, row.spec)
    first = application.next_spawned
    application.next_spawned += len(rows)
    # Only a system can go back to before its task was pushed.
    _submit(reactor, application, first, rows, root if application.parent else 0)
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
        cancelled = outcome.failure.kind == "cancelled"
        known = application.cancellations if cancelled else application.failures
        known.append((record.key, record.task.name, outcome.failure))
        if record.spec.spec.kept_if_failed:
            letters.keep(reactor.state, application, record, outcome.failure, reactor.now)
            reactor.journal.letter(record.key)
        where = outcome.failure.certificate.worker
        reactor.chronicle.failed(record.key, record.task.name, where, outcome.failure.message)
    application.task_progress.pop(record.key, None)
    record.checkpoint = b""
    if record.spec.spec.notifies and not application.parent:
        record.state = lifecycle.FINISH[record.state]
        application.counts.finishing += 1
        reactor.journal.finishing(outcome)
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
    delivery.put(reactor, application, outcome, record.task, record.spec, record.root)
    letters.attempt_ended(reactor, record.key, outcome.failure)


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
    at_workers: dict[int, list[TaskRecord]] = {}
    count = 0
    for record in records:
        if record.cancelled or record.state == lifecycle.FINISHING:
            continue
        count += 1
        record.cancelled = True
        if record.state == lifecycle.ASSIGNED:
            at_workers.setdefault(record.worker, []).append(record)
            continue
        application = state.applications[application_of(record.key)]
        application.counts.waiting -= 1
        key, queued = dispatch.group_key(record), record.state == lifecycle.WAITING
        outcome = Outcome(record.key, record.attempt, failure=retry.cancelled(record))
        complete(reactor, application, record, outcome)
        if queued:
            state.queue.withdraw(key, 1)
    for number, cancelled in at_workers.items():
        reactor.journal.cancelled(cancelled)
        peer = state.workers[number].peer
        if peer is not None:
            runs = tuple((record.key, record.attempt) for record in cancelled)
            reactor.outbox.send(peer, CancelRuns(runs))
    return count


def on_goodbye(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: Goodbye) -> None:
    """Let an application go: for good, or detached until somebody attaches."""
    application = reactor.state.applications[who.number]
    reactor.disconnect(peer)
    application.peer = None
    application.away_since = reactor.now
    if message.detach:
        application.detached = True
        reactor.journal.changed(application)
        reactor.outbox.log(
            "info",
            f"application {application.number} detached",
            "application.detached",
            application=application.number,
        )
    else:
        end_application(reactor, application, message.reason or "it ended")


def end_application(reactor: MasterReactor, application: ApplicationRecord, reason: str) -> None:
    """Drop an application with everything it has: tasks, systems, hosts, code."""
    state = reactor.state
    if not application.parent:
        entry = views.at_its_end(application, reactor.now, reason)
        entry["ended"] = state.settings.epoch + reactor.now
        state.ended.append(entry)
        reactor.journal.history(entry)
    for system in list(application.systems.values()):
        systems.end(reactor, application, system)
    if application.finisher is not None:
        systems.end_host(reactor, application.finisher)
        application.finisher = None
    withdrawn: dict[GroupKey, int] = {}
    records = state.records_of(application.number)
    state.letters.abandoned(record.key for record in records)
    for record in records:
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
    reactor.journal.over(application)
    state.sessions.pop(application.session, None)
    state.queue.shares.forget(application.number)
    state.queue.paused.discard(application.number)
    state.talkative.discard(application.number)
    letters.drop_code(state, application.digests | application.shares)
    _tell_end(reactor, application, reason)


def _tell_end(reactor: MasterReactor, application: ApplicationRecord, reason: str) -> None:
    reactor.outbox.log(
        "info",
        f"application {application.number} ({application.name}): {reason}",
        "system.ended" if application.parent else "application.ended",
        application=reactor.state.owner_of(application).number,
    )
    if not application.parent:
        tail = tuple(application.tail)[-ECHO_LINES:]
        reactor.state.echoes.append(
            Echo(application.number, application.name, application.written, tail)
        )
