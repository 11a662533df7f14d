"""What happens while the store takes nothing: a full disk, a database that is gone. PURE.

Nothing that would have to be written down is taken in, and nothing is handed out or delivered. What a
peer says of this kind is dropped without an answer. When the store works again, nobody counts until he
has greeted again, which reconciles what both sides have. Signs of life, questions and output go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.protocol.application import Output, Progress, Query
from concurrent_framework.protocol.session import Heartbeat, Resync

if TYPE_CHECKING:
    from concurrent_framework.master.events import StorageBack, StorageFailed
    from concurrent_framework.master.reactor import MasterReactor

HARMLESS = frozenset({Heartbeat, Query, Output, Progress})
"""What is taken in all the same: it changes nothing that is written down."""


def begin(reactor: MasterReactor, event: StorageFailed) -> None:
    """Stop taking in, handing out and delivering."""
    reason = event.reason
    if not reactor.state.trouble:
        reactor.outbox.log("error", f"the journal takes nothing, so no work is taken in: {reason}")
    reactor.state.trouble = reason
    reactor.outbox.forget_acknowledgements()  # they may be of what the journal has not taken


def end(reactor: MasterReactor, _event: StorageBack) -> None:
    """Go on; whoever was alive before counts as alive, and greets again."""
    state, now = reactor.state, reactor.now
    state.trouble = ""
    reactor.outbox.forget_acknowledgements()  # the greetings settle what they would have told
    reactor.outbox.log("info", "the journal works again, work goes on")
    for worker in state.workers.values():
        worker.peer = None
        worker.last_heard = now
    for application in state.applications.values():
        application.peer = None
        application.last_heard = application.away_since = now
    for host in state.hosts.values():
        host.peer = None
    for peer, who in list(state.peers.items()):
        if who.role in {"submit", "execute", "host"}:
            reactor.outbox.send(peer, Resync())
            reactor.disconnect(peer)
    postponed, reactor.postponed = reactor.postponed, []
    for ended in postponed:
        reactor.end_host(ended)
