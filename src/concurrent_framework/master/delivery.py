"""Bringing outcomes to their applications, each once, as far as they keep up. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master.state import Undelivered
from concurrent_framework.model.ids import FIRST_SPAWNED, application_of, sequence_of
from concurrent_framework.protocol.application import Deliver, SystemEnded

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import (
        ApplicationRecord,
        HostRecord,
        PeerRecord,
        SpecRecord,
        TaskRecord,
    )
    from concurrent_framework.protocol import application as app
    from concurrent_framework.protocol.tasks import NewTask, Outcome

MAX_UNACKNOWLEDGED = 16_384
"""Outcomes under way to an application at most; the rest waits here."""
MAX_BATCH = 1024
"""Outcomes in one message."""


def put(
    reactor: MasterReactor,
    application: ApplicationRecord,
    outcome: Outcome,
    task: NewTask,
    spec: SpecRecord | None,
    root: int,
) -> None:
    """Put a task's one outcome into its application's outbox."""
    application.outgoing.append(Undelivered(outcome, task, spec, root))
    reactor.journal.ended(application)
    reactor.state.talkative.add(application.number)


def put_all(
    reactor: MasterReactor,
    application: ApplicationRecord,
    ended: Sequence[tuple[TaskRecord, Outcome]],
) -> None:
    """Put the outcomes of several tasks into their application's outbox, in this order."""
    application.outgoing += [
        Undelivered(outcome, record.task, record.spec, record.root) for record, outcome in ended
    ]
    reactor.journal.ended(application)
    reactor.state.talkative.add(application.number)


def put_system(reactor: MasterReactor, application: ApplicationRecord, ended: SystemEnded) -> None:
    """Put what came of a system into its application's outbox."""
    ended.number = application.next_delivery
    application.outgoing.append(ended)
    reactor.journal.system_over(application, ended)
    reactor.state.talkative.add(application.number)


def watch(reactor: MasterReactor, key: int) -> None:
    """Tell when this outcome is handled, if it is the last of its application's outbox.

    If `finished` of its task is called before, that is told, too.
    """
    application = reactor.state.applications[application_of(key)]
    finisher = application.finisher
    if finisher is not None and (key in finisher.calling or _waits_for(finisher, key)):
        finisher.watched.add(key)
        return
    last = application.outgoing[-1] if application.outgoing else None
    if isinstance(last, Undelivered) and last.outcome.key == key:
        application.watched.append((application.next_delivery - 1, key))


def _waits_for(finisher: HostRecord, key: int) -> bool:
    return bool(finisher.waiting) and finisher.waiting[-1].outcome.key == key


def deliver(reactor: MasterReactor) -> None:
    """Send every application what it has not been sent, as far as it keeps up."""
    state = reactor.state
    for number in list(state.talkative):
        application = state.applications.get(number)
        if application is None or application.peer is None or not application.outgoing:
            state.talkative.discard(number)
            continue
        while application.outgoing and len(application.unacknowledged) < MAX_UNACKNOWLEDGED:
            _deliver_some(reactor, application)
        state.talkative.discard(number)


def _deliver_some(reactor: MasterReactor, application: ApplicationRecord) -> None:
    outgoing, unacknowledged = application.outgoing, application.unacknowledged
    first = application.first_number + len(unacknowledged)
    outcomes: list[Outcome] = []
    origins = {}
    while outgoing and len(outcomes) < MAX_BATCH:
        entry = outgoing[0]
        if isinstance(entry, SystemEnded):
            if outcomes:
                break
            outgoing.popleft()
            unacknowledged.append(entry)
            reactor.outbox.send(application.peer, entry)
            return
        outgoing.popleft()
        unacknowledged.append(entry)
        sequence = sequence_of(entry.outcome.key)
        if sequence < application.knows_from or sequence >= FIRST_SPAWNED:
            origins[len(outcomes)] = entry.task
        outcomes.append(entry.outcome)
    reactor.outbox.send(application.peer, Deliver(first, outcomes, origins))


def on_delivered(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.Delivered
) -> None:
    """Forget outcomes that the application has handled."""
    application = reactor.state.applications[who.number]
    acknowledge(reactor, application, message.through)
    if application.outgoing:
        reactor.state.talkative.add(application.number)


def acknowledge(reactor: MasterReactor, application: ApplicationRecord, through: int) -> None:
    """Drop outcomes up to a number, but for those that a restored system would need.

    An earlier master may have delivered what waits here.
    """
    sent, waiting = application.unacknowledged, application.outgoing
    count = min(through - application.first_number + 1, len(sent) + len(waiting))
    if count <= 0:
        return
    entries = [sent.popleft() if sent else waiting.popleft() for _ in range(count)]
    application.first_number += count
    watched = application.watched
    while watched and watched[0][0] < application.first_number:
        reactor.chronicle.handled("task.delivered", watched.popleft()[1])
    counted_on = application.counted_on
    if counted_on:
        needed = [
            entry
            for entry in entries
            if isinstance(entry, Undelivered) and entry.root <= counted_on
        ]
        application.unabsorbed.extend(needed)
        entries = [
            entry
            for entry in entries
            if not isinstance(entry, Undelivered) or entry.root > counted_on
        ]
    reactor.journal.delivered(application, entries)
