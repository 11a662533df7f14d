"""Answers for those who follow what happens: events, output, failures, what has ended. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import finding, recovered, views
from concurrent_framework.model.ids import application_of, format_key, parse_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.master.letters import Letter
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, Echo, MasterState
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.protocol.application import QueryKind

MAX_LIMIT = 5000


def answer(
    reactor: MasterReactor,
    kind: QueryKind,
    arguments: dict[str, Any],
) -> Any:
    """Answer a question of this file's kinds.

    Args:
        reactor: the core.
        kind: what is asked.
        arguments: what it is about.

    """
    wanted = arguments.get("application")
    match kind:
        case "task":
            return task(reactor, parse_key(str(arguments.get("task", ""))))
        case "events":
            return events(reactor, arguments)
        case "failures":
            number = finding.number_of(reactor, wanted) if wanted else None
            return failures(reactor.state, number, arguments, reactor.now)
        case "output":
            echo = _echo_of(reactor.state, str(wanted))
            return output(reactor.state, echo or finding.application(reactor, wanted), arguments)
        case _:
            return list(reactor.state.ended)


def events(reactor: MasterReactor, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what has happened since a number, or lately if `since` is missing.

    Who asks again from `last` on misses nothing: it is the newest number only if all is told.
    """
    chronicle = reactor.chronicle
    limit = _limit(arguments, 500)
    runs = bool(arguments.get("runs", True))
    since = arguments.get("since")
    if since is None:
        found, last = chronicle.newest(limit, runs=runs), chronicle.last
    else:
        deliveries = bool(arguments.get("deliveries"))
        found = chronicle.since(int(since), limit, runs=runs, deliveries=deliveries)
        last = chronicle.last
        if len(found) == limit:
            last = found[-1]["id"] if found else int(since)
    return {
        "session": reactor.state.settings.session,
        "last": last,
        "events": found,
    }


def _echo_of(state: MasterState, wanted: str) -> Echo | None:
    """Return the output of an application that has ended, unless one of this name is running."""
    if any(wanted in (str(one.number), one.name) for one in state.applications.values()):
        return None
    found = (one for one in reversed(state.echoes) if wanted in (str(one.number), one.name))
    return next(found, None)


def output(
    state: MasterState, application: ApplicationRecord | Echo, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Return the last lines that an application's tasks and systems wrote, the oldest first."""
    epoch = state.settings.epoch
    since, limit = int(arguments.get("since") or 0), _limit(arguments, 200)
    lines = [one for one in application.tail if one[0] > since]
    lines = lines[max(0, len(lines) - limit) :]
    return {
        "application": application.number,
        "name": application.name,
        "last": application.written,
        "lines": [
            {
                "number": number,
                "time": moment + epoch,
                "task": format_key(line.key) if line.worker else "",
                "source": line.source,
                "worker": line.worker,
                "stream": line.stream,
                "text": line.text,
            }
            for number, moment, line in lines
        ],
    }


def failures(
    state: MasterState, number: int | None, arguments: dict[str, Any], now: float
) -> dict[str, Any]:
    """Return tasks that failed, the newest first, also of applications that have ended.

    Those that somebody has cancelled are none. Failed tasks that are not kept are remembered while
    their application is there, and come last.
    """
    offset, limit = int(arguments.get("offset") or 0), _limit(arguments, 100)
    letters = state.letters.of(number)
    known = {one.key for one in letters}
    others = [
        one
        for record in reversed(state.applications.values())
        if number is None or number in (record.number, record.parent)
        for one in reversed(record.failures)
        if one[0] not in known
    ]
    found: list[Any] = [*reversed(letters), *others]
    return {
        "total": len(found),
        "failures": [
            _failed(state, *one) if isinstance(one, tuple) else _kept(state, one, now)
            for one in found[offset : offset + limit]
        ],
    }


def failure_of(state: MasterState, key: int, now: float) -> dict[str, Any] | None:
    """Return what is known of a task that failed; None if nothing is."""
    letter = state.letters.get(key)
    if letter is not None:
        return _kept(state, letter, now)
    application = state.applications.get(application_of(key))
    known_ones = (*application.cancellations, *application.failures) if application else ()
    for known, name, failure in reversed(known_ones):
        if known == key:
            return _failed(state, key, name, failure)
    return None


def task(reactor: MasterReactor, key: int) -> dict[str, Any]:
    """Return everything that is known of one task; `state` is ``unknown`` if nothing is."""
    state = reactor.state
    record = state.tasks.get(key)
    if record is not None:
        return {**views.task(state, record, reactor.now), "losses": record.losses}
    failed = failure_of(state, key, reactor.now)
    if failed is not None:
        return {**failed, "state": "cancelled" if failed["kind"] == "cancelled" else "failed"}
    return {"task": format_key(key), "state": "unknown"}


def _failed(state: MasterState, key: int, name: str, failure: Failure) -> dict[str, Any]:
    owner = state.owner_of(state.applications[application_of(key)])
    return {
        **_described(key, name, failure),
        "application": owner.number,
        "application_name": owner.name,
        "ended": None,
        "retriable": False,
        "retried_as": "",
    }


def _kept(state: MasterState, letter: Letter, now: float) -> dict[str, Any]:
    return {
        **_described(letter.key, letter.name, letter.failure),
        "application": letter.owner,
        "application_name": letter.application_name,
        "ended": letter.ended + state.settings.epoch,
        "retriable": recovered.retriable(state, letter, now),
        "retried_as": format_key(letter.retried) if letter.retried else "",
    }


def _described(key: int, name: str, failure: Failure) -> dict[str, Any]:
    return {
        "task": format_key(key),
        "name": name,
        "kind": failure.kind,
        "type": failure.type,
        "message": failure.message,
        "traceback": failure.traceback,
        "certificate": dict(_builtins_of(failure.certificate)),
    }


def _builtins_of(struct: Any) -> Iterator[tuple[str, Any]]:
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        yield name, _builtin(value)


def _builtin(value: Any) -> Any:
    if hasattr(value, "__struct_fields__"):
        return dict(_builtins_of(value))
    if isinstance(value, tuple | list):
        return [_builtin(one) for one in value]
    return value


def _limit(arguments: dict[str, Any], default: int) -> int:
    limit = arguments.get("limit")
    return max(0, min(default if limit is None else int(limit), MAX_LIMIT))
