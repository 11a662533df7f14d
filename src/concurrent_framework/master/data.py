"""Shared objects: which worker has which, and when nobody needs one any more. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.model.ids import SPEC_BITS, SPEC_MASK, application_of
from concurrent_framework.protocol.worker import Gone, Provide

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, PeerRecord, WorkerRecord
    from concurrent_framework.protocol import worker as work


def on_evicted(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: work.Evicted
) -> None:
    """Note what a worker no longer has: it is sent again with the next task that needs it."""
    _forget(reactor, reactor.state.workers[who.number], set(message.digests))


def on_need(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: work.Need) -> None:
    """Send what tasks wait for at a worker, or say that it is gone."""
    codes = reactor.state.codes
    here = tuple(codes[digest] for digest in message.digests if digest in codes)
    gone = tuple(digest for digest in message.digests if digest not in codes)
    if here:
        reactor.state.workers[who.number].digests.update(blob.digest for blob in here)
        reactor.outbox.send(peer, Provide((), here))
    if gone:
        reactor.outbox.send(peer, Gone(gone))


def release(reactor: MasterReactor, application: ApplicationRecord, digests: Iterable[str]) -> None:
    """Drop shared objects of an application, as soon as no task of it needs them."""
    application.released.update(digest for digest in digests if digest in application.shares)
    sweep(reactor)


def sweep(reactor: MasterReactor) -> None:
    """Drop what has been released and is needed no more."""
    state = reactor.state
    releasing = [one for one in state.applications.values() if one.released]
    if not releasing:
        return
    needed: dict[int, set[str]] = {}
    for record in state.tasks.values():
        if record.spec.shares:
            owner = state.owner_of(state.applications[application_of(record.key)])
            needed.setdefault(owner.number, set()).update(record.spec.shares)
    for application in releasing:
        owner = state.owner_of(application)
        for system in owner.systems.values():
            # It may go back to its checkpoint, and use again what it has released since.
            needed.setdefault(owner.number, set()).update(system.shares)
    for application in releasing:
        if application.systems:
            continue  # they may hold references, and make tasks with them at any time
        number = state.owner_of(application).number
        unneeded = application.released - needed.get(number, set())
        application.released -= unneeded
        application.shares -= unneeded
        reactor.journal.dropped(application, [state.codes[digest] for digest in unneeded])
        _drop(reactor, unneeded)


def _drop(reactor: MasterReactor, digests: set[str]) -> None:
    state = reactor.state
    gone = digests - {one for other in state.applications.values() for one in other.shares}
    for digest in gone:
        state.codes.pop(digest, None)
    for worker in state.workers.values():
        there = worker.digests & gone
        if there:
            _forget(reactor, worker, there)
            if worker.peer is not None:
                reactor.outbox.send(worker.peer, Gone(tuple(sorted(there))))


def _forget(reactor: MasterReactor, worker: WorkerRecord, digests: set[str]) -> None:
    """Take shared objects off a worker's books, and with them the specs that need them."""
    worker.digests -= digests
    for number in list(worker.specs):
        application = reactor.state.applications.get(number >> SPEC_BITS)
        spec = application.specs.get(number & SPEC_MASK) if application is not None else None
        if spec is not None and not digests.isdisjoint(spec.shares):
            worker.specs.discard(number)
