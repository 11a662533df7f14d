"""What people may order: to cancel, pause, resume, prefer, drain, and to attempt again. PURE."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from concurrent_framework.master import (
    applications,
    dispatch,
    explain,
    finding,
    recovered,
    removal,
    systems,
)
from concurrent_framework.master.finding import UnanswerableError
from concurrent_framework.model.ids import parse_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, PeerRecord
    from concurrent_framework.protocol.application import Query

WEIGHTS = (0.001, 1000.0)
PRIORITIES = (-(2**30), 2**30)


def obey(reactor: MasterReactor, who: PeerRecord, message: Query) -> Any:
    """Do what a query orders and return what has been done."""
    if who.role == "observe":
        reason = (
            f"this token may look but not {message.kind}; use one with the role submit or admin"
        )
        raise UnanswerableError(reason)
    if message.kind == "remove" and who.role != "admin":
        reason = "removing a worker needs a token with the role admin"
        raise UnanswerableError(reason)
    if reactor.state.trouble:
        reason = f"nothing can be ordered at present: {reactor.state.trouble}"
        raise UnanswerableError(reason)
    return _ORDERS[message.kind](reactor, message.arguments)


def _cancel(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """Cancel a task (``application/task``) or everything of an application."""
    target = str(arguments.get("target", ""))
    if "/" in target:
        key = parse_key(target)
        record = reactor.state.tasks.get(key)
        if record is None:
            why = explain.ended(reactor, key)
            reason = f"task {target} is not waiting or running: {why}"
            raise UnanswerableError(reason)
        return {"cancelled": applications.cancel(reactor, [record])}
    application = finding.application(reactor, target)
    count = len(application.systems)
    for system in list(application.systems.values()):
        child = reactor.state.applications[system.application]
        count += child.counts.waiting + child.counts.assigned
        systems.cancel(reactor, application, system)
    records = reactor.state.records_of(application.number)
    return {"cancelled": count + applications.cancel(reactor, records)}


def _pause(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """Hand out nothing more of an application and its systems; what runs goes on."""
    application = finding.application(reactor, arguments.get("application"))
    family = _family(reactor, application)
    for one in family:
        reactor.state.queue.paused.add(one.number)
    application.paused = True
    reactor.journal.changed(application)
    reactor.outbox.log("info", f"application {application.number} ({application.name}) is paused")
    return {
        "application": application.number,
        "name": application.name,
        "waiting": sum(one.counts.waiting for one in family),
        "running": sum(one.counts.assigned for one in family),
    }


def _resume(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """End the pause of an application, or the draining or quarantine of a worker."""
    text = str(arguments.get("target", ""))
    paused = [one for one in finding.applications(reactor, text) if one.paused]
    held = [
        one
        for one in finding.workers(reactor, text)
        if one.standing.draining or one.standing.quarantined
    ]
    if len(paused) + len(held) > 1:
        reason = (
            f"{text!r} names several that could be resumed: give the application's number, or the"
            " worker as NAME:PID"
        )
        raise UnanswerableError(reason)
    if paused:
        [application] = paused
        _go_on(reactor, application)
        return {"application": application.number, "name": application.name}
    if held:
        [worker] = held
        worker.standing.draining = False
        worker.standing.clear()
        reactor.journal.joined(worker)
        reactor.journal.judged(worker.number)
        reactor.outbox.log("info", f"worker {worker.name} takes new work again")
        return {"worker": worker.name}
    if finding.applications(reactor, text) or finding.workers(reactor, text):
        reason = f"{text!r} is neither paused nor drained: there is nothing to resume"
    else:
        reason = f"there is no application and no worker {text!r}"
    raise UnanswerableError(reason)


def _go_on(reactor: MasterReactor, application: ApplicationRecord) -> None:
    application.paused = False
    reactor.journal.changed(application)
    queue = reactor.state.queue
    for one in _family(reactor, application):
        queue.paused.discard(one.number)
        queue.shares.catch_up(one.number)
    reactor.outbox.log("info", f"application {application.number} ({application.name}) goes on")


def _priority(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """Set what is added to the priority of an application's tasks, its weight, or both."""
    application = finding.application(reactor, arguments.get("application"))
    raised, weight = arguments.get("priority"), arguments.get("weight")
    if raised is None and weight is None:
        reason = "give a priority, a weight, or both"
        raise UnanswerableError(reason)
    if raised is not None:
        _raise(reactor, application, int(_bounded("priority", raised, PRIORITIES)))
    if weight is not None:
        share = _bounded("weight", weight, WEIGHTS)
        application.steered = True
        for one in _family(reactor, application):
            one.weight = share
            reactor.journal.changed(one)
            reactor.state.queue.shares.weigh(one.number, share)
    return {
        "application": application.number,
        "name": application.name,
        "priority": application.raised,
        "weight": application.weight,
    }


def _bounded(name: str, given: object, bounds: tuple[float, float]) -> float:
    low, high = bounds
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not (isfinite(given) and low <= given <= high)
    ):
        reason = f"the {name} is {given!r}; it must be a number from {low:g} to {high:g}"
        raise UnanswerableError(reason)
    return given


def _raise(reactor: MasterReactor, application: ApplicationRecord, raised: int) -> None:
    queue = reactor.state.queue
    for one in _family(reactor, application):
        waiting = queue.withdraw_all(one.number)
        one.raised = raised
        reactor.journal.changed(one)
        for spec in one.specs.values():
            spec.priority = spec.spec.priority + raised
        dispatch.enqueue(reactor.state, waiting)


def _family(reactor: MasterReactor, application: ApplicationRecord) -> list[ApplicationRecord]:
    """Return an application and those of its systems."""
    known = reactor.state.applications
    systems_of = [known[system.application] for system in application.systems.values()]
    return [application, *systems_of]


def _drain(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give a worker nothing new; it finishes what it has."""
    worker = finding.worker(reactor, arguments.get("worker"))
    worker.standing.draining = True
    reactor.journal.joined(worker)
    reactor.outbox.log("info", f"worker {worker.name} is drained: it gets no new work")
    return {"worker": worker.name, "tasks": len(worker.tasks)}


def _remove(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """Send workers away for good."""
    return {"removed": removal.remove(reactor, str(arguments.get("worker", "")))}


def _retry(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    return recovered.retry(reactor, str(arguments.get("target", "")))


_ORDERS: dict[str, Callable[[MasterReactor, dict[str, Any]], Any]] = {
    "cancel": _cancel,
    "pause": _pause,
    "resume": _resume,
    "priority": _priority,
    "drain": _drain,
    "retry": _retry,
    "remove": _remove,
}
