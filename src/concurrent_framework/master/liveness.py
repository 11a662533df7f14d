"""Leases: who has been silent for too long, and who needs a sign of life from the master. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import applications, data, letters, workers
from concurrent_framework.protocol.session import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import PeerRecord


def heard(reactor: MasterReactor, peer: Hashable, who: PeerRecord) -> None:
    """Note a sign of life."""
    match who.role:
        case "execute":
            reactor.state.workers[who.number].last_heard = reactor.now
        case "submit" | "host":
            application = reactor.state.applications[who.number]
            # The host that calls `finished` lives on when the application itself is gone.
            if application.peer == peer:
                application.last_heard = reactor.now


def check(reactor: MasterReactor, late: float) -> None:
    """Take back the work of silent workers, note absent applications, and send heartbeats.

    A master that was itself stopped, or waited for its disk, has heard nobody meanwhile: it comes to
    this look so many seconds `late`, and that time counts against no one.
    """
    state, now, lease = reactor.state, reactor.now, reactor.state.settings.lease
    if late > lease / 4:
        _forgive(reactor)
    if not state.trouble:
        _check_leases(reactor)
    for peer, who in state.peers.items():
        if now - who.last_sent > lease / 3:
            reactor.outbox.send(peer, Heartbeat())


def _forgive(reactor: MasterReactor) -> None:
    """Give everybody who counts as alive a whole lease from now on."""
    for worker in reactor.state.workers.values():
        worker.last_heard = reactor.now
    for application in reactor.state.applications.values():
        application.last_heard = reactor.now


def _check_leases(reactor: MasterReactor) -> None:
    state, now, lease = reactor.state, reactor.now, reactor.state.settings.lease
    for worker in list(state.workers.values()):
        if now - worker.last_heard > lease:
            if worker.peer is not None:
                reactor.disconnect(worker.peer)
            workers.lose(reactor, worker, f"no sign of life for {lease:g} seconds")
    for application in list(state.applications.values()):
        if application.number not in state.applications or application.parent:
            continue
        if application.peer is None:
            since = application.away_since if application.away_since is not None else now
            if application.at_work:
                application.away_since = now  # what it is kept for is not there yet
            elif now - since > state.settings.retention:
                applications.end_application(
                    reactor, application, f"nobody came back within {now - since:.0f} seconds"
                )
        elif now - application.last_heard > lease:
            reactor.disconnect(application.peer)
            application.peer = None
            application.away_since = now
            reactor.outbox.log(
                "warning",
                f"application {application.number} ({application.name}) is away: no sign of life"
                f" for {lease:g} seconds; its work goes on and its outcomes are kept",
                "application.away",
                application=application.number,
            )
    data.sweep(reactor)
    letters.drop_code(state, state.letters.expire(now))
