"""Checkpoints of task systems and of tasks: kept while they may be needed, and gone back to. PURE.

A system's checkpoint is its state together with what of the world that state counts on: the outcomes
it has absorbed and the tasks it had pushed. Going back to it means that these three fit together
again. What the system pushed later never was; what it was told later, it is told again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from concurrent_framework.master import data, delivery, dispatch, lifecycle
from concurrent_framework.master.state import HostRecord, Undelivered
from concurrent_framework.protocol.application import Checkpointed, HostJob
from concurrent_framework.protocol.session import Resync
from concurrent_framework.protocol.tasks import SpecEntry
from concurrent_framework.protocol.worker import CancelRuns

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import (
        ApplicationRecord,
        PeerRecord,
        SystemRecord,
        TaskRecord,
    )
    from concurrent_framework.protocol import application as app
    from concurrent_framework.protocol import worker as work
    from concurrent_framework.scheduling.queue import GroupKey


def on_task_checkpoints(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: work.Checkpoints
) -> None:
    """Keep the newest checkpoint of each task, if it comes from the present attempt."""
    tasks = reactor.state.tasks
    for one in message.tasks:
        record = tasks.get(one.key)
        if (
            record is not None
            and record.attempt == one.attempt
            and record.state == lifecycle.ASSIGNED
            and record.worker == who.number
        ):
            record.checkpoint = one.state
            reactor.journal.task_checkpointed(record)


def on_checkpoint(
    reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: app.Checkpoint
) -> None:
    """Take a system's checkpoint; from here on it is what its next host goes on from."""
    state = reactor.state
    application = state.applications[who.number]
    system = state.hosts[who.host].system
    if system is None:
        return
    delivery.acknowledge(reactor, application, message.absorbed)
    if message.absorbed != application.first_number - 1 or message.pushed > application.accepted:
        reactor.outbox.send(peer, Resync())
        return
    if message.absorbed:
        system.attempt = 1
    system.keep(message.state)
    application.counted_on = message.pushed
    application.absorbed = message.absorbed
    reactor.journal.checkpointed(application, message.state)
    application.unabsorbed.clear()
    data.sweep(reactor)
    if application.outgoing:
        state.talkative.add(application.number)
    reactor.outbox.send(peer, Checkpointed(message.number))


def job(reactor: MasterReactor, application: ApplicationRecord, system: SystemRecord) -> HostJob:
    """Return what a system's host is told to do: begin, or go on from the last checkpoint."""
    codes = reactor.state.codes
    digests = reactor.state.owner_of(application).digests | application.digests
    return HostJob(
        system.push,
        tuple(SpecEntry(number, record.spec) for number, record in application.specs.items()),
        tuple(codes[digest] for digest in sorted(digests)),
        system.checkpoint,
    )


def restore(reactor: MasterReactor, system: SystemRecord) -> None:
    """Go back to a system's last checkpoint, and start a host that goes on from there."""
    state = reactor.state
    application = state.applications[system.application]
    undone = roll_back(reactor, application)
    system.attempt += 1
    system.host = f"system-{application.number}.{application.rollbacks}"
    state.hosts[system.host] = HostRecord(system.host, application.number, system)
    reactor.outbox.start_host(system.host)
    reactor.journal.system_started(state.applications[system.owner], system)
    reactor.outbox.log(
        "info",
        f"system {system.push.name} of application {system.owner} goes on from its last checkpoint"
        f" as {application.number}: {undone} later tasks are rolled back,"
        f" {len(application.outgoing)} outcomes are delivered again",
    )


def roll_back(reactor: MasterReactor, application: ApplicationRecord) -> int:
    """Undo what a system's tasks came to after its last checkpoint; return how many are dropped.

    The next host is a new process to which outcomes are numbered from 1. It uses the sequences after
    the checkpoint again; the fence keeps what comes of the earlier tasks from counting.
    """
    reactor.journal.before_rollback(application)
    pushed = application.counted_on
    later = [
        record for record in reactor.state.records_of(application.number) if record.root > pushed
    ]
    _drop(reactor, application, later)
    pending = (*application.unabsorbed, *application.unacknowledged, *application.outgoing)
    outcomes = [entry for entry in pending if isinstance(entry, Undelivered)]
    application.outgoing = deque(entry for entry in outcomes if entry.root <= pushed)
    application.unacknowledged.clear()
    application.unabsorbed.clear()
    application.first_number = 1
    application.absorbed = 0
    application.accepted = pushed
    application.rollbacks += 1
    application.peer = None
    application.greeting = 0
    application.watched.clear()
    reactor.journal.rolled_back(application, [one for one in outcomes if one.root > pushed])
    reactor.journal.changed(application)
    return len(later)


def _drop(
    reactor: MasterReactor, application: ApplicationRecord, records: Iterable[TaskRecord]
) -> None:
    """Forget tasks as if they had never been submitted, and stop those that run."""
    state, counts = reactor.state, application.counts
    withdrawn: dict[GroupKey, int] = {}
    at_workers: dict[int, list[tuple[int, int]]] = {}
    for record in records:
        if record.state == lifecycle.ASSIGNED:
            dispatch.release(state.workers[record.worker], record)
            at_workers.setdefault(record.worker, []).append((record.key, record.attempt))
            counts.assigned -= 1
        else:
            key = dispatch.group_key(record)
            withdrawn[key] = withdrawn.get(key, 0) + 1
            counts.waiting -= 1
        counts.submitted -= 1
        record.state = lifecycle.DONE
        del state.tasks[record.key]
        application.task_progress.pop(record.key, None)
    for key, count in withdrawn.items():
        state.queue.withdraw(key, count)
    for number, runs in at_workers.items():
        peer = state.workers[number].peer
        if peer is not None:
            reactor.outbox.send(peer, CancelRuns(tuple(runs)))
