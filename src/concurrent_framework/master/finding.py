"""What people mean by what they type: applications, workers, tasks. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, WorkerRecord


class UnanswerableError(Exception):
    """The question is about something that does not exist, or not for this peer."""


def application(reactor: MasterReactor, wanted: object) -> ApplicationRecord:
    """Find an application by number, name or the beginning of its session id."""
    text = str(wanted or "")
    matches = applications(reactor, text)
    if len(matches) == 1:
        return matches[0]
    if matches:
        numbers = ", ".join(str(application.number) for application in matches)
        reason = f"{text!r} names several applications: {numbers}; give the number"
        raise UnanswerableError(reason)
    ended = number_of_ended(reactor, text)
    if ended:
        reason = f"application {ended} has ended; see `concurrent apps --all`"
        raise UnanswerableError(reason)
    there = ", ".join(
        f"{a.number} ({a.name})" for a in reactor.state.applications.values() if not a.parent
    )
    reason = f"there is no application {text!r}; there are: {there or 'none'}"
    raise UnanswerableError(reason)


def applications(reactor: MasterReactor, text: str) -> list[ApplicationRecord]:
    """Return every application that a text may mean."""
    known = reactor.state.applications
    if text.isdecimal() and int(text) in known:
        return [known[int(text)]]
    return [
        application
        for application in known.values()
        if not application.parent
        and (application.name == text or (len(text) > 3 and application.session.startswith(text)))
    ]


def number_of(reactor: MasterReactor, wanted: object) -> int:
    """Return the number of an application that is there or, if none of this name is, has ended."""
    text = str(wanted)
    ended = 0 if applications(reactor, text) else number_of_ended(reactor, text)
    return ended or application(reactor, text).number


def number_of_ended(reactor: MasterReactor, text: str) -> int:
    """Return the number of the last application of this number or name that has ended; 0 if none."""
    for entry in reversed(reactor.state.ended):
        if text in (str(entry["application"]), entry["name"]):
            return int(entry["application"])
    return 0


def worker(reactor: MasterReactor, wanted: object) -> WorkerRecord:
    """Find a worker by its name."""
    text = str(wanted or "")
    matches = workers(reactor, text)
    if len(matches) == 1:
        return matches[0]
    if matches:
        pids = ", ".join(f"{one.name}:{one.pid}" for one in matches)
        reason = f"{text!r} names several workers; give one with its process: {pids}"
    else:
        there = ", ".join(one.name for one in reactor.state.workers.values())
        reason = f"there is no worker {text!r}; there are: {there or 'none'}"
    raise UnanswerableError(reason)


def workers(reactor: MasterReactor, text: str) -> list[WorkerRecord]:
    """Return every worker that a text may mean: its name, or ``name:pid`` where names are shared."""
    return [
        one for one in reactor.state.workers.values() if text in (one.name, f"{one.name}:{one.pid}")
    ]
