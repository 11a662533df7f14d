"""Attempting failed tasks again: as new tasks, so that each still has exactly one outcome. PURE.

Failed task systems begin again from their last checkpoint (`revival`). A dead letter becomes a new
task of its application while the master has that: it is running, away, or detached. Otherwise it
becomes one of a *recovered* application, which keeps what comes of it for `concurrent attach`, as a
detached one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import applications, finding, revival
from concurrent_framework.master.finding import UnanswerableError
from concurrent_framework.model.ids import format_key, parse_key, task_key
from concurrent_framework.protocol.application import Added
from concurrent_framework.protocol.tasks import NewTask, Outcome, SpecEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.letters import Letter
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, MasterState


def retry(reactor: MasterReactor, target: str) -> dict[str, Any]:
    """Submit a failed task (``application/task``), or all of an application, again."""
    chosen = _one(reactor, target) if "/" in target else _all_of(reactor, target)
    by_application: dict[int, list[Letter]] = {}
    for letter in chosen:
        by_application.setdefault(letter.application, []).append(letter)
    tasks = []
    where: dict[int, ApplicationRecord] = {}
    for number, letters in by_application.items():
        application = reactor.state.applications.get(number) or _recover(reactor, letters[0])
        tasks += _again(reactor, application, letters)
        owner = reactor.state.owner_of(application)
        where[owner.number] = owner
    return {
        "retried": len(tasks),
        "tasks": [format_key(key) for key in tasks],
        "applications": [
            {
                "application": one.number,
                "name": one.name,
                "state": one.state,
                "recovered": bool(one.origin),
            }
            for one in where.values()
        ],
    }


def _one(reactor: MasterReactor, target: str) -> list[Letter]:
    key = parse_key(target)
    letter = reactor.state.letters.get(key)
    if letter is None:
        reason = f"task {target} is not among the failed tasks; `concurrent failed` lists those"
    elif letter.retried:
        reason = f"task {target} is attempted again already, as {format_key(letter.retried)}"
    elif against := objection(reactor.state, letter, reactor.now):
        what = "task" if letter.task is not None else f"{letter.name}, the task system"
        reason = f"{what} {target} cannot be attempted again: {against}"
    else:
        return [letter]
    raise UnanswerableError(reason)


def _all_of(reactor: MasterReactor, target: str) -> list[Letter]:
    letters = reactor.state.letters
    matches = finding.applications(reactor, target)
    ended = 0
    if not matches or (len(matches) == 1 and not letters.of(matches[0].number)):
        ended = finding.number_of_ended(reactor, target)
    number = ended or finding.application(reactor, target).number
    chosen = [one for one in letters.of(number) if retriable(reactor.state, one, reactor.now)]
    # What failed of a system's tasks is attempted again by the system, as far as it matters to it.
    theirs = {one.remains.application for one in chosen if one.remains is not None}
    chosen = [one for one in chosen if one.task is None or one.application not in theirs]
    if not chosen:
        reason = f"application {number} has no failed task that could be attempted again"
        raise UnanswerableError(reason)
    return chosen


def retriable(state: MasterState, letter: Letter, now: float) -> bool:
    """Whether a letter can be attempted again."""
    return not letter.retried and not objection(state, letter, now)


def objection(state: MasterState, letter: Letter, now: float) -> str:
    """Return why a letter cannot be attempted again; empty if it can."""
    if letter.spec is None:
        return revival.objection(state, letter, now)
    if all(one in state.codes for one in letter.spec.data()):
        return ""
    return "it needs a shared object that nobody has any more: push it again"


def _recover(reactor: MasterReactor, letter: Letter) -> ApplicationRecord:
    """Return the application that stands for one that is over, made at its first failed task."""
    state = reactor.state
    for one in state.applications.values():
        if one.origin == letter.application:
            return one
    session = f"{letter.session}+{state.next_number}"
    number = applications.open_application(reactor, session, letter.application_name, parent=0)
    application = state.applications[number]
    application.origin = letter.application
    application.detached = True
    application.away_since = reactor.now
    # A process that attaches must not start the application from its beginning.
    application.accepted = 1
    reactor.outbox.log(
        "info",
        f"application {number} ({application.name}) attempts failed tasks of application"
        f" {letter.owner} again",
    )
    return application


def _again(
    reactor: MasterReactor, application: ApplicationRecord, letters: list[Letter]
) -> list[int]:
    """Make new tasks and systems of letters; returns their keys."""
    tasks = [letter for letter in letters if letter.task is not None]
    made = _submit(reactor, application, tasks) if tasks else []
    gone = [letter for letter in letters if letter.task is None]
    made += [revival.revive(reactor, application, letter) for letter in gone]
    for letter, key in zip([*tasks, *gone], made, strict=True):
        reactor.state.letters.submitted_again(letter, key)
        reactor.journal.letter(letter.key)
    application.added += len(made)
    reactor.journal.changed(application)
    if application.peer is not None:
        reactor.outbox.send(application.peer, Added(application.added))
    return made


def _submit(
    reactor: MasterReactor, application: ApplicationRecord, letters: Iterable[Letter]
) -> list[int]:
    """Make new tasks of letters; returns their keys."""
    rows, entries = [], []
    numbers: dict[Any, int] = {}
    needed: dict[str, None] = {}
    for letter in letters:
        assert letter.task is not None
        assert letter.spec is not None
        number = numbers.get(letter.spec)
        if number is None:
            number = numbers[letter.spec] = -1 - len(numbers)
            entries.append(SpecEntry(number, letter.spec))
        rows.append(NewTask(number, letter.task.name, letter.task.payload))
        needed.update(dict.fromkeys(letter.digests))
    codes = tuple(reactor.state.codes[one] for one in needed if not application.has(one))
    first = task_key(application.number, application.next_spawned)
    spawning = Outcome(first, 0, spawned=tuple(rows), specs=tuple(entries), codes=codes)
    # A system that goes back to its checkpoint keeps what people have added.
    applications.spawn(reactor, application, 1, spawning)
    return [first + index for index in range(len(rows))]
