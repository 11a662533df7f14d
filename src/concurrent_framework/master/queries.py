"""Answers to what commands ask and order. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import archive, explain, finding, listing, observing, orders, views
from concurrent_framework.master.finding import UnanswerableError
from concurrent_framework.model.ids import parse_key
from concurrent_framework.protocol.application import Answer

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import PeerRecord
    from concurrent_framework.protocol.application import Query
    from concurrent_framework.protocol.session import Goodbye


def on_query(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: Query) -> None:
    """Answer a query, or say why not."""
    try:
        value = _answer(reactor, who, message)
    except (UnanswerableError, ValueError) as error:
        reactor.outbox.send(peer, Answer(message.id, error=str(error)))
    else:
        reactor.outbox.send(peer, Answer(message.id, value))


def on_goodbye(reactor: MasterReactor, peer: Hashable, _who: PeerRecord, _message: Goodbye) -> None:
    """Forget a peer that only asked."""
    reactor.disconnect(peer)


def _answer(reactor: MasterReactor, who: PeerRecord, message: Query) -> Any:
    state, now, arguments = reactor.state, reactor.now, message.arguments
    match message.kind:
        case "status":
            return views.status(state, reactor.scheduler.pattern, now)
        case "workers":
            return views.workers(state, now)
        case "applications":
            known = views.applications(state, now)
            return [*known, *views.ended(state, now)] if arguments.get("ended") else known
        case "tasks":
            wanted = arguments.get("application")
            number = finding.application(reactor, wanted).number if wanted else None
            return listing.tasks(state, now, number, arguments)
        case "explain":
            return explain.explain(reactor, parse_key(str(arguments.get("task", ""))))
        case "task" | "events" | "output" | "failures" | "ended":
            return observing.answer(reactor, message.kind, arguments)
        case "attach":
            found = finding.application(reactor, arguments.get("application"))
            return {**views.application(found, now), "session": found.session}
        case "failed":
            return archive.failed(reactor, arguments.get("application"))
        case "show":
            return archive.show(reactor, parse_key(str(arguments.get("task", ""))))
        case "cancel" | "pause" | "resume" | "priority" | "drain" | "retry" | "remove":
            return orders.obey(reactor, who, message)
