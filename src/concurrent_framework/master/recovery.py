"""A master's state out of its journal, and how it goes on from there. PURE.

What is recovered is what was promised: applications, tasks without an outcome, outcomes that were not
handled. Who was running what is not in the journal, except for tasks that must not run twice; the
workers say so when they greet, and until they have, nothing is handed out (`MasterState.awaited`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import (
    applications,
    data,
    dispatch,
    grounds,
    lifecycle,
    retry,
    systems,
    timing,
)
from concurrent_framework.master.facts import JournalError
from concurrent_framework.master.journal import (
    definition_bytes,
    outcome_bytes,
    row_bytes,
    rows_bytes,
    system_bytes,
)
from concurrent_framework.master.replay import Replay, ReplayedEnd
from concurrent_framework.master.state import (
    ApplicationRecord,
    HostRecord,
    MasterState,
    SpecRecord,
    SystemRecord,
    TaskRecord,
    Undelivered,
    WorkerRecord,
    new_state,
)
from concurrent_framework.model.ids import FENCE_BITS, FIRST_SPAWNED_SPEC
from concurrent_framework.protocol.application import FinishTask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.events import Begun
    from concurrent_framework.master.facts import Application
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.replay import ReplayedApplication
    from concurrent_framework.master.state import Settings


def recover(settings: Settings, entries: Iterable[bytes], now: float) -> MasterState:
    """Return the state that a journal tells of; the next master's life begins with it.

    Args:
        settings: the new master's.
        entries: the journal, the oldest entry first.
        now: monotonic time in seconds.

    Raises:
        JournalError: the journal cannot be read, or contradicts itself.

    """
    replay = Replay()
    replay.read(entries)
    state = new_state(settings, now)
    state.life = replay.life.number + 1
    state.next_number = replay.next_application
    state.next_worker = replay.next_worker
    for joined in replay.workers.values():
        worker = WorkerRecord(joined.number, joined.session, joined.name, now)
        worker.standing.draining = joined.draining
        worker.host, worker.pid = joined.host, joined.pid
        state.workers[joined.number] = worker
        state.worker_sessions[joined.session] = joined.number
    for number in _owners_first(replay):
        replayed = replay.applications.pop(number)
        if replayed.told is not None:
            add_application(state, replayed, replayed.told, now)
            _add_systems(state.applications[number], replayed, replay)
    grounds.recall(state, replay.evidence.values(), now)
    _add_memories(state, replay)
    state.awaited.update(state.workers)
    return state


def _owners_first(replay: Replay) -> list[int]:
    """Return the numbers of applications; a system's own may be lower than that of who has it now."""
    told = ((number, one.told) for number, one in replay.applications.items())
    return [
        number
        for _, number in sorted(
            (one is not None and one.parent > 0, number) for number, one in told
        )
    ]


def _add_memories(state: MasterState, replay: Replay) -> None:
    """Add what is kept for people only: failed tasks, and applications that are over."""
    letters = state.letters
    # Compaction moves what is old behind what is new.
    for letter in sorted(replay.letters.values(), key=lambda one: one.ended):
        letter.ended -= state.settings.epoch
        if letter.retried in state.tasks or state.system_of(letter.retried) is not None:
            letters.retries[letter.retried] = letter.key
        else:
            letter.retried = 0
        letters.add(letter)
    letters.written.update(replay.letter_codes)
    needed = {digest: code for digest, code in replay.letter_codes.items() if letters.holds(digest)}
    state.codes.update(needed)
    state.ended.extend(sorted(replay.history, key=lambda one: one["ended"]))


def add_application(
    state: MasterState, replayed: ReplayedApplication, told: Application, now: float
) -> None:
    """Add an application with its tasks and outcomes, as a journal tells of it."""
    number, began = told.number, told.began - state.settings.epoch
    application = ApplicationRecord(number, told.session, told.name, parent=told.parent, now=began)
    state.applications[number] = application
    state.sessions[told.session] = number
    state.queue.shares.weigh(number, told.weight)
    application.weight, application.steered = told.weight, told.steered
    application.raised, application.paused = told.raised, told.paused
    application.added, application.origin = told.added, told.origin
    parent = state.applications.get(told.parent)
    if told.paused or (parent is not None and parent.paused):
        state.queue.paused.add(number)
    application.last_heard = application.away_since = now
    application.detached = told.detached
    application.accepted = replayed.accepted
    application.next_spawned = replayed.next_spawned
    application.knows_from = told.knows_from
    application.first_number = replayed.first_number
    for local, spec in replayed.specs.items():
        global_number = dispatch.local_number(number, local)
        application.specs[local] = SpecRecord(global_number, spec, application.raised)
        application.has_deadlines |= spec.deadline > 0
        if local >= FIRST_SPAWNED_SPEC:
            application.spawned_specs[spec] = local
    application.digests.update(replayed.codes)
    application.shares.update(replayed.shares)
    application.released = replayed.released & application.shares
    application.copies = replayed.copies
    codes = replayed.codes | replayed.shares
    state.codes.update(codes)
    application.live_bytes += definition_bytes(replayed.specs, codes.values())
    application.rollbacks = replayed.rollbacks
    if replayed.checkpoint is not None:
        application.counted_on = replayed.checkpoint.pushed
        application.absorbed = replayed.first_number - 1
    _add_undelivered(application, replayed)
    application.journalled = application.next_delivery - 1
    _add_tasks(state, application, replayed, now)
    counts = application.counts
    counts.finished, counts.failed = replayed.finished, replayed.failed
    counts.cancelled = replayed.cancelled
    counts.submitted = len(replayed.rows) + counts.finished + counts.failed + counts.cancelled


def _add_systems(
    application: ApplicationRecord, replayed: ReplayedApplication, replay: Replay
) -> None:
    for sequence, system in replayed.systems.items():
        record = SystemRecord(application.number, system.push)
        record.application, record.attempt = system.child, system.attempt
        application.systems[sequence] = record
        application.live_bytes += row_bytes(system.push)
        child = replay.applications.get(system.child)
        if child is not None and child.checkpoint is not None:
            record.keep(child.checkpoint.state)


def _add_undelivered(application: ApplicationRecord, replayed: ReplayedApplication) -> None:
    for number in sorted(replayed.undelivered):
        # Of a system's, those are missing that it would not be told again; they get other numbers.
        if number != application.next_delivery and not application.parent:
            message = (
                f"the journal contradicts itself: outcome {number} of application"
                f" {application.number} ({application.name}) follows {application.next_delivery - 1};"
                " restore a backup, or move the journal away and lose what it holds"
            )
            raise JournalError(message)
        found = replayed.undelivered[number]
        if not isinstance(found, ReplayedEnd):
            application.outgoing.append(found)
            application.live_bytes += system_bytes(found)
            continue
        spec = application.specs.get(found.task.spec)
        root = found.root if application.parent else 0
        entry = Undelivered(found.outcome, found.task, spec, root, number)
        application.outgoing.append(entry)
        application.undelivered[found.outcome.key] = entry
        application.live_bytes += row_bytes(found.task) + outcome_bytes(found.outcome)


def _add_tasks(
    state: MasterState, application: ApplicationRecord, replayed: ReplayedApplication, now: float
) -> None:
    specs, tasks, rows = application.specs, state.tasks, replayed.rows
    at, epoch = replayed.at, state.settings.epoch
    records = []
    for key in sorted(rows):
        row = rows[key]
        record = TaskRecord(key, specs[row.spec], row, since=now, arrived=at[key] - epoch)
        if application.parent:
            record.root = replayed.root_of(key)
        record.attempt = replayed.fences.get(key, 0) << FENCE_BITS
        tasks[key] = record
        records.append(record)
    application.live_bytes += rows_bytes(rows.values())
    for key, lost in replayed.lost.items():
        record = tasks[key]
        record.attempt, record.losses, record.history = lost.attempts, lost.losses, lost.history
        record.failures = lost.failures
    for key, state_of_task in replayed.checkpoints.items():
        tasks[key].checkpoint = state_of_task
    for key in replayed.cancelling:
        tasks[key].cancelled = True
    for key, handed in replayed.handed.items():
        record = tasks[key]
        record.attempt = handed.attempt
        if handed.worker and key not in replayed.finishing:
            _assign(record, state.workers[handed.worker])
    _call_again(state, application, replayed)
    application.counts.assigned = sum(one.state == lifecycle.ASSIGNED for one in records)
    application.counts.finishing = len(replayed.finishing)
    waiting = [record for record in records if record.state == lifecycle.WAITING]
    application.counts.waiting = len(waiting)
    for key in replayed.lost.keys() - replayed.cancelling:
        _delay_further(state, tasks[key], now)
    dispatch.enqueue(state, [one for one in waiting if one.state == lifecycle.WAITING])


def _delay_further(state: MasterState, record: TaskRecord, now: float) -> None:
    """Let a task that waits for another attempt wait for what is left of its backoff."""
    left = retry.still_delayed(record, state.settings.epoch + now)
    if left > 0 and record.state == lifecycle.WAITING:
        record.state = lifecycle.DELAY[record.state]
        record.due = now + left
        state.agenda.add(record.due, record.key)


def _assign(record: TaskRecord, worker: WorkerRecord) -> None:
    record.state = lifecycle.ASSIGN[record.state]
    record.worker = worker.number
    worker.tasks[record.key] = record
    worker.in_flight[record.spec] = worker.in_flight.get(record.spec, 0) + 1
    worker.suspects += record.losses > 0


def _call_again(
    state: MasterState, application: ApplicationRecord, replayed: ReplayedApplication
) -> None:
    """Have `finished` called of the tasks of which it may not have been."""
    if not replayed.finishing:
        return
    host = HostRecord(f"finisher-{application.number}", application.number, None)
    application.finisher = state.hosts[host.host] = host
    for key, outcome in replayed.finishing.items():
        record = state.tasks[key]
        record.state = lifecycle.FINISH[record.state]
        host.waiting.append(FinishTask(record.task, outcome))


def resume(reactor: MasterReactor, _event: Begun) -> None:
    """Begin a master's life: start hosts and systems again, and settle what was being cancelled."""
    state = reactor.state
    reactor.journal.begun()
    for application in state.applications.values():
        if application.has_deadlines:
            timing.watch(reactor, state.records_of(application.number))
    for host in state.hosts:
        reactor.outbox.start_host(host)
    for application in list(state.applications.values()):
        for system in list(application.systems.values()):
            systems.resume(reactor, application, system)
    cancelled = [
        record
        for record in state.tasks.values()
        if record.cancelled and record.state == lifecycle.WAITING
    ]
    for record in cancelled:
        record.cancelled = False
    applications.cancel(reactor, cancelled)
    data.sweep(reactor)
    if state.applications:
        reactor.outbox.log(
            "info",
            f"recovered {len(state.tasks)} tasks of {len(state.applications)} applications;"
            f" waiting for {len(state.awaited)} workers to greet again",
        )
