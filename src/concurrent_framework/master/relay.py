"""Passing on what tasks and systems print, log and tell of their progress. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.model.ids import application_of, sequence_of
from concurrent_framework.protocol.application import Output, Progress
from concurrent_framework.protocol.tasks import OutputLine

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, PeerRecord
    from concurrent_framework.protocol import application as app

KEPT_TEXT = 4096
"""Characters of one piece of output that are kept for those who ask later."""

LAST_WORDS = 2048
"""Characters of what a running task wrote to stderr that are kept in case its worker is lost."""
LAST_SPEAKERS = 64
"""Tasks of a worker for which they are kept."""


def on_host_output(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.Output
) -> None:
    """Pass on what a host printed."""
    application = reactor.state.applications.get(who.number)
    if application is not None:
        show(reactor, application, message)


def show(reactor: MasterReactor, application: ApplicationRecord, message: app.Output) -> None:
    """Send output to the application it belongs to, or keep the last of it until it is back."""
    owner = reactor.state.owner_of(application)
    _keep(owner, message, reactor.now)
    if owner.peer is None:
        owner.backlog.extend(message.lines)
    else:
        reactor.outbox.send(owner.peer, message)


def _keep(owner: ApplicationRecord, message: app.Output, now: float) -> None:
    """Keep the last of an application's output for whoever asks for it."""
    for line in message.lines:
        owner.written += 1
        owner.tail.append((owner.written, now, _shortened(line)))


def _shortened(line: OutputLine) -> OutputLine:
    if len(line.text) <= KEPT_TEXT:
        return line
    text = f"{line.text[:KEPT_TEXT]} …"
    return OutputLine(line.key, line.source, line.worker, line.stream, text)


def on_host_progress(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.Progress
) -> None:
    """Note and pass on how far an application's system has come."""
    application = reactor.state.applications.get(who.number)
    if application is not None:
        note_progress(reactor, application, message)


def note_progress(
    reactor: MasterReactor, application: ApplicationRecord, message: app.Progress
) -> None:
    """Keep the newest progress of tasks and systems, and pass it on."""
    for note in message.notes:
        if sequence_of(note.key):
            if note.key in reactor.state.tasks:
                application.task_progress[note.key] = note
        else:
            application.progress = note
    owner = reactor.state.owner_of(application)
    if owner.peer is not None:
        reactor.outbox.send(owner.peer, Progress(message.notes))


def on_worker_output(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: Output
) -> None:
    """Pass on what tasks printed to their applications, and keep the last of it for certificates."""
    by_application: dict[int, list[OutputLine]] = {}
    last_words = reactor.state.workers[who.number].last_stderr
    for line in message.lines:
        by_application.setdefault(application_of(line.key), []).append(line)
        if line.stream == "stderr":
            before = last_words.pop(line.key, "")
            last_words[line.key] = f"{before}\n{line.text}".lstrip("\n")[-LAST_WORDS:]
            if len(last_words) > LAST_SPEAKERS:
                del last_words[next(iter(last_words))]
    for number, lines in by_application.items():
        application = reactor.state.applications.get(number)
        if application is not None:
            show(reactor, application, Output(tuple(lines)))


def on_worker_progress(
    reactor: MasterReactor, _peer: Hashable, _who: PeerRecord, message: Progress
) -> None:
    """Note how far tasks have come."""
    for note in message.notes:
        application = reactor.state.applications.get(application_of(note.key))
        if application is not None:
            note_progress(reactor, application, Progress((note,)))
