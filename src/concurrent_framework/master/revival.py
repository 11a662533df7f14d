"""Having a task system begin again that failed, out of what is kept of it (`remains`). PURE.

It gets its own application back, under the same number, so that what its state knows of its tasks
stays true; from there on it is like a system whose host has died. The fence goes on where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from concurrent_framework.master import (
    applications,
    checkpoints,
    encoding,
    facts,
    recovery,
    systems,
    timing,
)
from concurrent_framework.master.replay import Replay
from concurrent_framework.master.state import SystemRecord
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.spec import digests_in
from concurrent_framework.protocol.application import Define

if TYPE_CHECKING:
    from concurrent_framework.master.letters import Letter, Remains
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, MasterState


def objection(state: MasterState, letter: Letter, now: float) -> str:
    """Return why a failed system cannot begin again; empty if it can."""
    remains = letter.remains
    if remains is None:
        return "it was too large to be kept (`master.failed_bytes`): run its application again"
    if letter.ended == now:
        return "it has failed just now: try again in a moment"
    here = {blob.digest for blob in remains.data}
    if not state.codes.keys() >= {*digests_in(remains.push.payload)} - here:
        return "it needs a shared object that nobody has any more: run its application again"
    return ""


def revive(reactor: MasterReactor, owner: ApplicationRecord, letter: Letter) -> int:
    """Have a failed system begin again as another one of an application; returns its key."""
    assert letter.remains is not None
    remains, codes = letter.remains, reactor.state.codes
    blobs = tuple(codes[digest] for digest in remains.code if not owner.has(digest))
    own = owner.shares - owner.released
    borrowed = tuple(blob.digest for blob in remains.data if blob.digest not in own)
    applications.define(reactor, owner, Define((), (*blobs, *remains.data)))
    push = replace(remains.push, sequence=owner.next_spawned)
    owner.next_spawned += 1
    system = SystemRecord(owner.number, push)
    owner.systems[push.sequence] = system
    reactor.journal.system_pushed(owner, push)
    if remains.facts:
        _restore(reactor, owner, system, remains)
    else:
        systems.start(reactor, owner, system)
    if borrowed:
        # The application has done with them; they go with the system.
        applications.define(reactor, owner, Define((), (), borrowed))
    return task_key(owner.number, push.sequence)


def _restore(
    reactor: MasterReactor, owner: ApplicationRecord, system: SystemRecord, remains: Remains
) -> None:
    state = reactor.state
    replay = Replay()
    told = [_as_of_now(reactor, owner, remains, one) for one in encoding.decode(remains.facts)]
    replay.take(told)
    [replayed] = replay.applications.values()
    assert replayed.told is not None
    assert replayed.checkpoint is not None
    reactor.journal.revived(told)
    recovery.add_application(state, replayed, replayed.told, reactor.now)
    child = state.applications[replayed.number]
    if not reactor.journal.kept:
        child.undelivered.clear()
    system.application = child.number
    system.keep(replayed.checkpoint.state)
    cancelled = [record for record in state.records_of(child.number) if record.cancelled]
    checkpoints.restore(reactor, system)
    records = state.records_of(child.number)
    timing.watch(reactor, records)
    for record in records:
        letter = state.letters.get(record.key)
        if letter is not None:
            state.letters.submitted_again(letter, record.key)
            reactor.journal.letter(record.key)
    for record in cancelled:
        record.cancelled = False
    applications.cancel(reactor, cancelled)


def _as_of_now(
    reactor: MasterReactor, owner: ApplicationRecord, remains: Remains, fact: facts.Fact
) -> facts.Fact:
    """Return a fact with what is different now: whose the system is, and when its tasks came."""
    match fact:
        case facts.Application():
            return replace(
                fact,
                parent=owner.number,
                weight=owner.weight,
                raised=owner.raised,
                rollbacks=remains.rollbacks,
            )
        case facts.Kept():
            now = reactor.state.settings.epoch + reactor.now
            return replace(fact, at=[now] * len(fact.rows))
        case _:
            return fact
