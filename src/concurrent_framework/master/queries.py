"""Answers to what commands ask and order. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import applications, explain, observing, removal, systems, views
from concurrent_framework.model.ids import parse_key
from concurrent_framework.protocol.application import Answer

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, PeerRecord
    from concurrent_framework.protocol.application import Query
    from concurrent_framework.protocol.session import Goodbye


class _UnanswerableError(Exception):
    """The question is about something that does not exist, or not for this peer."""


def on_query(reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: Query) -> None:
    """Answer a query, or say why not."""
    try:
        value = _answer(reactor, who, message)
    except (_UnanswerableError, ValueError) as error:
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
            return views.applications(state, now)
        case "tasks":
            wanted = arguments.get("application")
            number = _find(reactor, wanted).number if wanted else None
            return views.tasks(state, now, number, arguments)
        case "explain":
            return explain.explain(reactor, parse_key(str(arguments.get("task", ""))))
        case "task" | "events" | "output" | "failures" | "ended":
            return observing.answer(reactor, message.kind, _find, arguments)
        case "remove":
            if who.role != "admin":
                reason = "removing a worker needs a token with the role admin"
                raise _UnanswerableError(reason)
            return {"removed": removal.remove(reactor, str(arguments.get("worker", "")))}
        case "attach":
            found = _find(reactor, arguments.get("application"))
            return {**views.application(found, now), "session": found.session}
        case "cancel":
            if who.role == "observe":
                reason = "this token may look but not cancel; use one with the role submit or admin"
                raise _UnanswerableError(reason)
            return {"cancelled": _cancel(reactor, str(arguments.get("target", "")))}


def _find(reactor: MasterReactor, wanted: object) -> ApplicationRecord:
    """Find an application by number, name or the beginning of its session id."""
    text = str(wanted or "")
    known = reactor.state.applications
    if text.isdecimal() and int(text) in known:
        return known[int(text)]
    matches = [
        application
        for application in known.values()
        if not application.parent
        and (application.name == text or (len(text) > 3 and application.session.startswith(text)))
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        numbers = ", ".join(str(application.number) for application in matches)
        reason = f"{text!r} names several applications: {numbers}; give the number"
    else:
        there = ", ".join(f"{a.number} ({a.name})" for a in known.values() if not a.parent)
        reason = f"there is no application {text!r}; there are: {there or 'none'}"
    raise _UnanswerableError(reason)


def _cancel(reactor: MasterReactor, target: str) -> int:
    """Cancel a task (``application/task``) or everything of an application."""
    if "/" in target:
        key = parse_key(target)
        record = reactor.state.tasks.get(key)
        if record is None:
            reason = f"task {target} is not waiting or running: it has ended, or never was"
            raise _UnanswerableError(reason)
        return applications.cancel(reactor, [record])
    application = _find(reactor, target)
    count = len(application.systems)
    for system in list(application.systems.values()):
        child = reactor.state.applications[system.application]
        count += child.counts.waiting + child.counts.assigned
        systems.cancel(reactor, application, system)
    return count + applications.cancel(reactor, reactor.state.records_of(application.number))
