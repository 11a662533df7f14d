"""Reading a journal: what its facts, in order, leave of each application. PURE.

Facts are told of tasks that are not known here, because compaction has moved what it kept of them
behind those facts, or because they are over: these mean nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from concurrent_framework.master import encoding, facts
from concurrent_framework.master.grounds import judged_in
from concurrent_framework.model.ids import (
    FIRST_SPAWNED,
    SEQUENCE_BITS,
    SEQUENCE_MASK,
    application_of,
)
from concurrent_framework.model.spec import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.grounds import Judged
    from concurrent_framework.master.letters import Letter
    from concurrent_framework.model.spec import CodeBlob, TaskSpec
    from concurrent_framework.protocol.application import PushSystem, SystemEnded
    from concurrent_framework.protocol.tasks import NewTask, Outcome, Payload


class ReplayedSystem:
    """A task system that has not ended: as it was pushed, and the application that is its own."""

    __slots__ = ("attempt", "child", "push")

    def __init__(self, push: PushSystem) -> None:
        self.push = push
        self.child = 0
        self.attempt = 0


class ReplayedEnd(NamedTuple):
    """An outcome that has not been handled, with its task and what that descends from."""

    outcome: Outcome
    task: NewTask
    root: int


class ReplayedApplication:
    """What was written of an application."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.told: facts.Application | None = None
        self.accepted = 0
        self.next_spawned = FIRST_SPAWNED
        self.first_number = 1
        self.finished = self.failed = self.cancelled = 0
        self.specs: dict[int, TaskSpec] = {}
        self.codes: dict[str, CodeBlob] = {}
        self.shares: dict[str, CodeBlob] = {}
        self.released: set[str] = set()
        self.copies: Counter[str] = Counter()
        """How many copies of shared objects there are."""
        self.rows: dict[int, NewTask] = {}
        self.at: dict[int, float] = {}
        self.roots: dict[int, int] = {}
        """What tasks descend from that were not pushed themselves."""
        self.fences: dict[int, int] = {}
        """After how many rollbacks tasks were pushed, if any."""
        self.rollbacks = 0
        self.system: ReplayedSystem | None = None
        """The system whose own it is."""
        self.checkpoint: facts.Checkpointed | None = None
        self.checkpoints: dict[int, Payload] = {}
        self.finishing: dict[int, Outcome] = {}
        self.lost: dict[int, facts.Lost] = {}
        self.handed: dict[int, facts.Handed] = {}
        self.cancelling: set[int] = set()
        self.undelivered: dict[int, ReplayedEnd | SystemEnded] = {}
        self.systems: dict[int, ReplayedSystem] = {}

    def tell(self, fact: facts.Application) -> None:
        """Take what is written of it whole."""
        self.told = fact
        self.accepted = max(self.accepted, fact.accepted)
        self.next_spawned = max(self.next_spawned, fact.next_spawned)
        self.deliver(fact.first_number - 1)
        self.finished, self.failed, self.cancelled = fact.finished, fact.failed, fact.cancelled
        self.rollbacks = fact.rollbacks

    def submit(self, first: int, rows: list[NewTask], at: float, root: int) -> None:
        """Add tasks."""
        key = self.number << SEQUENCE_BITS | first
        keys = range(key, key + len(rows))
        self.rows.update(zip(keys, rows, strict=True))
        self.at.update(dict.fromkeys(keys, at))
        if root:
            self.roots.update(dict.fromkeys(keys, root))
        if self.rollbacks:
            self.fences.update(dict.fromkeys(keys, self.rollbacks))
        if first >= FIRST_SPAWNED:
            self.next_spawned = max(self.next_spawned, first + len(rows))
        else:
            self.accepted = max(self.accepted, first + len(rows) - 1)

    def end(self, number: int, outcomes: list[Outcome]) -> None:
        """Take outcomes, counting them all and keeping those that are not handled."""
        rows, undelivered = self.rows, self.undelivered
        special = bool(
            self.finishing
            or self.lost
            or self.handed
            or self.cancelling
            or self.roots
            or self.fences
            or self.checkpoints
        )
        for outcome in outcomes:
            failure = outcome.failure
            if failure is None:
                self.finished += 1
            elif failure.kind == "cancelled":
                self.cancelled += 1
            else:
                self.failed += 1
            row = rows.pop(outcome.key, None)
            if row is not None:
                del self.at[outcome.key]
                undelivered[number] = ReplayedEnd(outcome, row, self.root_of(outcome.key))
                if special:
                    self._forget(outcome.key)
            number += 1

    def _forget(self, key: int) -> None:
        self.finishing.pop(key, None)
        self.lost.pop(key, None)
        self.handed.pop(key, None)
        self.cancelling.discard(key)
        self.roots.pop(key, None)
        self.fences.pop(key, None)
        self.checkpoints.pop(key, None)

    def root_of(self, key: int) -> int:
        """Return the sequence of the pushed task that one descends from."""
        return self.roots.get(key, key & SEQUENCE_MASK)

    def roll_back(self, fact: facts.RolledBack) -> None:
        """Go back to the checkpoint of a system whose own this is."""
        for key in [key for key in self.rows if self.root_of(key) > fact.pushed]:
            del self.rows[key], self.at[key]
            self._forget(key)
        numbers = {key: number for number, key in enumerate(fact.keys, 1)}
        entries = [one for one in self.undelivered.values() if isinstance(one, ReplayedEnd)]
        self.undelivered = {
            numbers[one.outcome.key]: one for one in entries if one.outcome.key in numbers
        }
        self.first_number = 1
        self.accepted, self.rollbacks = fact.pushed, fact.rollbacks

    def deliver(self, through: int) -> None:
        """Drop outcomes up to a number."""
        numbers = range(self.first_number, through + 1)
        if len(numbers) > len(self.undelivered):
            left = [number for number in self.undelivered if number > through]
            self.undelivered = {number: self.undelivered[number] for number in left}
        else:
            for number in numbers:
                self.undelivered.pop(number, None)
        self.first_number = max(self.first_number, through + 1)

    def keep_undelivered(self, number: int, entry: ReplayedEnd | SystemEnded) -> None:
        """Take an outcome that waits to be handled, unless it has been."""
        if number >= self.first_number:
            self.undelivered[number] = entry


class Replay:
    """Everything a journal says."""

    def __init__(self) -> None:
        self.life = facts.Life(0)
        self.applications: dict[int, ReplayedApplication] = {}
        self.workers: dict[int, facts.WorkerJoined] = {}
        self.letters: dict[int, Letter] = {}
        self.letter_codes: dict[str, CodeBlob] = {}
        self.history: list[dict[str, Any]] = []
        self.evidence: dict[Judged, facts.Evidence] = {}
        self.next_application = 1
        self.next_worker = 1

    def read(self, entries: Iterable[bytes]) -> None:
        """Take entries, the oldest first."""
        for data in entries:
            self.take(encoding.decode(data))

    def take(self, told: Iterable[facts.Fact]) -> None:
        """Take facts, the oldest first."""
        take = self._TAKE
        for fact in told:
            take[type(fact)](self, fact)

    def application(self, number: int) -> ReplayedApplication:
        """Return what is known of an application; its tasks may come before itself."""
        found = self.applications.get(number)
        if found is None:
            found = self.applications[number] = ReplayedApplication(number)
            self.next_application = max(self.next_application, number + 1)
        return found

    def with_task(self, key: int) -> ReplayedApplication | None:
        """Return the application of a task that is known and has no outcome."""
        found = self.applications.get(application_of(key))
        return found if found is not None and key in found.rows else None

    def _life(self, fact: facts.Life) -> None:
        self.life = fact
        self.next_application = max(self.next_application, fact.next_application)
        self.next_worker = max(self.next_worker, fact.next_worker)

    def _application(self, fact: facts.Application) -> None:
        self.application(fact.number).tell(fact)

    def _defined(self, fact: facts.Defined) -> None:
        application = self.application(fact.application)
        application.specs.update((entry.number, entry.spec) for entry in fact.specs)
        application.released.update(fact.released)
        for blob in fact.codes:
            if blob.kind == DATA:
                application.shares[blob.digest] = blob
                application.copies[blob.digest] += 1
                application.released.discard(blob.digest)
            else:
                application.codes[blob.digest] = blob

    def _submitted(self, fact: facts.Submitted) -> None:
        self.application(fact.application).submit(fact.first, fact.rows, fact.at, fact.root)

    def _ended(self, fact: facts.Ended) -> None:
        self.application(fact.application).end(fact.first, fact.outcomes)

    def _finishing(self, fact: facts.Finishing) -> None:
        application = self.with_task(fact.outcome.key)
        if application is not None:
            application.finishing[fact.outcome.key] = fact.outcome
            application.checkpoints.pop(fact.outcome.key, None)

    def _delivered(self, fact: facts.Delivered) -> None:
        self.application(fact.application).deliver(fact.through)

    def _over(self, fact: facts.ApplicationOver) -> None:
        self.applications.pop(fact.application, None)

    def _cancelled(self, fact: facts.Cancelled) -> None:
        for key in fact.keys:
            application = self.with_task(key)
            if application is not None:
                application.cancelling.add(key)

    def _lost(self, fact: facts.Lost) -> None:
        application = self.with_task(fact.key)
        if application is not None:
            application.lost[fact.key] = fact

    def _handed(self, fact: facts.Handed) -> None:
        application = self.with_task(fact.key)
        if application is not None:
            application.handed[fact.key] = fact

    def _worker_joined(self, fact: facts.WorkerJoined) -> None:
        self.workers[fact.number] = fact
        self.next_worker = max(self.next_worker, fact.number + 1)

    def _worker_gone(self, fact: facts.WorkerGone) -> None:
        self.workers.pop(fact.number, None)
        self.evidence.pop(fact.number, None)

    def _evidence(self, fact: facts.Evidence) -> None:
        whom = judged_in(fact)
        self.evidence.pop(whom, None)
        if fact.streak:
            self.evidence[whom] = fact

    def _system_pushed(self, fact: facts.SystemPushed) -> None:
        application = self.application(fact.application)
        sequence = fact.push.sequence
        if sequence >= FIRST_SPAWNED:
            application.next_spawned = max(application.next_spawned, sequence + 1)
        else:
            application.accepted = max(application.accepted, sequence)
        application.systems[sequence] = ReplayedSystem(fact.push)

    def _system_started(self, fact: facts.SystemStarted) -> None:
        system = self.application(fact.application).systems.get(fact.sequence)
        if system is not None:
            system.child, system.attempt = fact.child, fact.attempt
            self.application(fact.child).system = system

    def _system_over(self, fact: facts.SystemOver) -> None:
        application = self.application(fact.application)
        application.systems.pop(fact.ended.sequence, None)
        application.keep_undelivered(fact.ended.number, fact.ended)

    def _kept(self, fact: facts.Kept) -> None:
        application = self.application(fact.application)
        base = fact.application << SEQUENCE_BITS
        keys = [base | sequence for sequence in fact.sequences]
        application.rows.update(zip(keys, fact.rows, strict=True))
        application.at.update(zip(keys, fact.at, strict=True))
        pairs = zip(keys, fact.roots, strict=False)
        application.roots.update((key, root) for key, root in pairs if root != key & SEQUENCE_MASK)
        fences = zip(keys, fact.fences, strict=False)
        application.fences.update((key, fence) for key, fence in fences if fence)

    def _kept_ended(self, fact: facts.KeptEnded) -> None:
        application = self.application(fact.application)
        roots = fact.roots or [outcome.key & SEQUENCE_MASK for outcome in fact.outcomes]
        kept = zip(fact.numbers, fact.outcomes, fact.rows, roots, strict=True)
        for number, outcome, row, root in kept:
            application.keep_undelivered(number, ReplayedEnd(outcome, row, root))

    def _checkpointed(self, fact: facts.Checkpointed) -> None:
        application = self.application(fact.child)
        application.checkpoint = fact
        if fact.absorbed and application.system is not None:
            application.system.attempt = 1
        application.deliver(fact.absorbed)

    def _rolled_back(self, fact: facts.RolledBack) -> None:
        self.application(fact.child).roll_back(fact)

    def _task_checkpointed(self, fact: facts.TaskCheckpointed) -> None:
        application = self.with_task(fact.key)
        if application is not None:
            application.checkpoints[fact.key] = fact.state

    def _failed(self, fact: facts.Failed) -> None:
        self.letters[fact.letter.key] = fact.letter

    def _unfailed(self, fact: facts.Unfailed) -> None:
        self.letters.pop(fact.key, None)

    def _failed_code(self, fact: facts.FailedCode) -> None:
        self.letter_codes[fact.code.digest] = fact.code

    def _history(self, fact: facts.History) -> None:
        self.history.append(fact.application)

    _TAKE: ClassVar[dict[type, Any]] = {
        facts.Life: _life,
        facts.Application: _application,
        facts.Defined: _defined,
        facts.Submitted: _submitted,
        facts.Ended: _ended,
        facts.Finishing: _finishing,
        facts.Delivered: _delivered,
        facts.ApplicationOver: _over,
        facts.Cancelled: _cancelled,
        facts.Lost: _lost,
        facts.Handed: _handed,
        facts.WorkerJoined: _worker_joined,
        facts.WorkerGone: _worker_gone,
        facts.SystemPushed: _system_pushed,
        facts.SystemStarted: _system_started,
        facts.SystemOver: _system_over,
        facts.Kept: _kept,
        facts.KeptEnded: _kept_ended,
        facts.Failed: _failed,
        facts.Unfailed: _unfailed,
        facts.FailedCode: _failed_code,
        facts.History: _history,
        facts.Checkpointed: _checkpointed,
        facts.RolledBack: _rolled_back,
        facts.TaskCheckpointed: _task_checkpointed,
        facts.Evidence: _evidence,
    }
