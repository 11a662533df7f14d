"""Keeping the journal as short as what is pending: the oldest entries are copied forward. PURE.

Of the oldest entries, what still matters is written again, as it stands now, and they are dropped.
That is right because every fact about a task follows what tells of the task itself: where this is moved
to the head of the journal, all there is to say of the task is said again behind it, and facts that were
written in between find no task.
"""

from __future__ import annotations

from collections import deque
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from concurrent_framework.master import encoding, facts, lifecycle
from concurrent_framework.master.grounds import evidence, judged_in
from concurrent_framework.master.journal import (
    application_fact,
    checkpoint_fact,
    failed_fact,
    life_fact,
    lost_fact,
    system_started_fact,
    worker_fact,
)
from concurrent_framework.model.ids import ATTEMPT_MASK, FENCE_BITS, sequence_of, task_key
from concurrent_framework.model.spec import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.master.grounds import Judged
    from concurrent_framework.master.state import ApplicationRecord, MasterState, TaskRecord
    from concurrent_framework.protocol.tasks import Outcome

STEP_BYTES = 512 * 1024
"""How much is looked at in one round: some milliseconds."""
SPARE_BYTES = 4 * 1024 * 1024
"""A journal of this size is short enough, whatever of it matters."""
GROWTH = 2
"""A journal may be so many times as long as what matters of it."""
LARGE_GROWTH = 4
LARGE_BYTES = 32 * 1024 * 1024
"""It may be longer by large payloads: so many times what matters, up to this. They cost little to keep
and much to say again, though most of them are about to be handled."""
PASS = 1.25
"""After the whole journal was looked at, it has to grow by this factor before it is again."""
STEP_ENTRIES = 64
"""How many entries are dropped at a time of which nothing has to be said again."""

_SAID_AGAIN = frozenset(
    {
        facts.Submitted,
        facts.Kept,
        facts.KeptEnded,
        facts.Application,
        facts.Life,
        facts.WorkerJoined,
        facts.Evidence,
        facts.Failed,
        facts.FailedCode,
        facts.History,
        facts.Defined,
        facts.SystemPushed,
        facts.SystemOver,
    }
)
"""What `kept_facts` looks at."""
_UNKNOWN = (True, 0)


class Compactor:
    """Decides when the journal is too long, and what is kept of its oldest entries.

    Args:
        state: what matters.
        spare: bytes up to which a journal is short enough, whatever of it matters.
        entries: how many there are already.

    """

    def __init__(self, state: MasterState, spare: int = SPARE_BYTES, entries: int = 0) -> None:
        self._state = state
        self._spare = spare
        # Of each entry, the oldest first: whether something may have to be said again of it, and how
        # many bytes of it are large payloads.
        self._written = deque([_UNKNOWN]) * entries
        self._large = 0
        self._first = 0  # number of the oldest, 0 if not known yet
        self._goal = 0
        self._left = 0
        # The most that mattered at a time while the whole was looked at: so much was said again.
        self._mattered = 0

    def due(self, size: int) -> bool:
        """Whether a journal of so many bytes should be shortened now."""
        live = self._live() if size > self._spare else 0
        large = min(self._large, LARGE_GROWTH * live, LARGE_BYTES)
        if size <= GROWTH * live + large + self._spare:
            self._goal = 0
            return False
        # What was left when the whole was looked at may take more room than it seems.
        return self._goal > 0 or size > PASS * self._left or PASS * live < self._mattered

    def wrote(self, told: Iterable[facts.Fact], pieces: Sequence[bytes]) -> None:
        """Take note of a new entry."""
        self._add(pieces, says=not _SAID_AGAIN.isdisjoint(map(type, told)))

    def _add(self, pieces: Sequence[bytes], *, says: bool) -> None:
        large = sum(map(len, pieces[1:]))
        self._large += large
        self._written.append((says, large))

    def droppable(self) -> int:
        """Return through which entry nothing need be looked at, let alone said again; 0 for none.

        Large results are mostly in such entries, and are never read again.
        """
        oldest = islice(self._written, STEP_ENTRIES)
        count = sum(1 for _ in takewhile(lambda one: not one[0], oldest)) if self._first else 0
        if not count:
            return 0
        self._begin(self._first)
        return self._first + count - 1

    def keep(self, entries: Sequence[tuple[int, bytes]]) -> list[bytes]:
        """Return the entry that stands for the oldest ones, in pieces; empty if nothing of them matters.

        Args:
            entries: the oldest ones, with their numbers.

        """
        self._begin(entries[0][0])
        self._mattered = max(self._mattered, self._live())
        found = (fact for _, data in entries for fact in encoding.decode(memoryview(data)))
        kept = kept_facts(self._state, found)
        return encoding.encode(kept) if kept else []

    def _begin(self, first: int) -> None:
        self._first = first
        if not self._goal:
            self._goal = first + len(self._written) - 1
            self._mattered = 0

    def dropped(self, through: int, added: Sequence[bytes], size: int) -> None:
        """Take note that entries were dropped.

        Args:
            through: number of the last of them.
            added: the entry that replaces them, as `keep` returned it; empty if none does.
            size: how many bytes the journal has now.

        """
        for _ in range(through + 1 - self._first):
            self._large -= self._written.popleft()[1]
        if added:
            self._add(added, says=True)
        self._first = through + 1
        if through >= self._goal:
            self._goal = 0
            self._left = size

    def _live(self) -> int:
        return sum(application.live_bytes for application in self._state.applications.values())


class _Tasks:
    """What is kept of the tasks of one application."""

    def __init__(self, application: ApplicationRecord, epoch: float) -> None:
        self._epoch = epoch
        self.pending = facts.Kept(application.number, [], [], [])
        self.undelivered = facts.KeptEnded(application.number, [], [], [])
        self.more: list[facts.Fact] = []
        self._application = application
        self._finishing: dict[int, Outcome] | None = None

    def add(self, tasks: dict[int, TaskRecord], key: int) -> None:
        """Keep a task, if it matters."""
        record = tasks.get(key)
        if record is not None:
            self.pending.sequences.append(sequence_of(key))
            self.pending.rows.append(record.task)
            self.pending.at.append(self._epoch + record.arrived)
            if self._application.parent:
                self.pending.roots.append(record.root)
                self.pending.fences.append((record.attempt & ATTEMPT_MASK) >> FENCE_BITS)
            if record.checkpoint:
                self.more.append(facts.TaskCheckpointed(key, record.checkpoint))
            if record.history or record.losses:
                self.more.append(lost_fact(record))
            if record.attempt and not record.spec.spec.idempotent:
                self.more.append(facts.Handed(key, record.attempt, record.worker))
            if record.cancelled:
                self.more.append(facts.Cancelled([key]))
            if record.state == lifecycle.FINISHING:
                self.more.append(facts.Finishing(self._outcome_of(key)))
            return
        entry = self._application.undelivered.get(key)
        if entry is not None:
            self.undelivered.numbers.append(entry.number)
            self.undelivered.outcomes.append(entry.outcome)
            self.undelivered.rows.append(entry.task)
            if self._application.parent:
                self.undelivered.roots.append(entry.root)

    def facts(self) -> list[facts.Fact]:
        """Return what is kept."""
        kept: list[facts.Fact] = [self.pending] if self.pending.rows else []
        kept += [self.undelivered] if self.undelivered.rows else []
        return kept + self.more

    def _outcome_of(self, key: int) -> Outcome:
        if self._finishing is None:
            host = self._application.finisher
            items = () if host is None else (*host.calling.values(), *host.waiting)
            self._finishing = {item.outcome.key: item.outcome for item in items}
        return self._finishing[key]


def kept_facts(state: MasterState, found: Iterable[facts.Fact]) -> list[facts.Fact]:
    """Return what has to be said again when these facts, the oldest of a journal, are dropped."""
    kept: list[facts.Fact] = []
    tasks: dict[int, _Tasks] = {}
    told: dict[int, None] = {}
    judged: dict[Judged, None] = {}
    epoch = state.settings.epoch
    for fact in found:
        match fact:
            case facts.Submitted() | facts.Kept() | facts.KeptEnded():
                application = state.applications.get(fact.application)
                if application is not None:
                    group = tasks.get(application.number)
                    if group is None:
                        group = tasks[application.number] = _Tasks(application, epoch)
                    for key in _keys(fact):
                        group.add(state.tasks, key)
            case facts.Application():
                told[fact.number] = None
            case facts.Life() | facts.WorkerJoined():
                kept += _nodes(state, fact)
            case facts.Evidence():
                judged[judged_in(fact)] = None
            case facts.Failed() | facts.FailedCode() | facts.History():
                kept += _memory(state, fact)
            case facts.Defined():
                application = state.applications.get(fact.application)
                kept += [] if application is None else _defined(application, fact)
            case facts.SystemPushed() | facts.SystemOver():
                kept += _system(state, fact)
            case _:
                pass  # it says something of what is said again elsewhere, or does not matter
    present = [state.applications[number] for number in told if number in state.applications]
    return [
        *kept,
        *(fact for group in tasks.values() for fact in group.facts()),
        *(application_fact(state, application) for application in present),
        *(one for one in evidence(state, judged) if one.streak),
    ]


def _nodes(state: MasterState, fact: facts.Life | facts.WorkerJoined) -> list[facts.Fact]:
    """Return what is said again of the master, or of a worker."""
    if isinstance(fact, facts.Life):
        return [life_fact(state)]
    worker = state.workers.get(fact.number)
    return [] if worker is None else [worker_fact(worker)]


def _defined(application: ApplicationRecord, fact: facts.Defined) -> list[facts.Fact]:
    """Return what is said again of definitions: not of shared objects that nobody needs.

    Of an object that was shared again after it had been dropped there is a later copy.
    """
    copies = application.copies
    codes = []
    for blob in fact.codes:
        if blob.kind == DATA:
            here = blob.digest in application.shares
            if not here or copies[blob.digest] > 1:
                copies[blob.digest] -= 1
                continue
        codes.append(blob)
    kept: list[facts.Fact] = []
    if fact.specs or codes:
        kept.append(facts.Defined(fact.application, fact.specs, tuple(codes)))
    named = {*fact.released, *(blob.digest for blob in codes)}
    released = tuple(sorted(named & application.released))
    if released:
        # Objects that are introduced count as not released, so that this goes behind it.
        kept.append(facts.Defined(fact.application, (), (), released))
    return kept


def _memory(
    state: MasterState, fact: facts.Failed | facts.FailedCode | facts.History
) -> list[facts.Fact]:
    """Return what is said again of things that are kept for people."""
    letters = state.letters
    match fact:
        case facts.Failed():
            letter = letters.get(fact.letter.key)
            return [] if letter is None else [failed_fact(state, letter)]
        case facts.FailedCode():
            if letters.holds(fact.code.digest):
                return [fact]
            letters.written.discard(fact.code.digest)
            return []
        case facts.History():
            number = fact.application["application"]
            return [fact] if any(one["application"] == number for one in state.ended) else []


def _keys(fact: facts.Submitted | facts.Kept | facts.KeptEnded) -> Iterable[int]:
    match fact:
        case facts.Submitted():
            first = task_key(fact.application, fact.first)
            return range(first, first + len(fact.rows))
        case facts.Kept():
            return [task_key(fact.application, sequence) for sequence in fact.sequences]
        case facts.KeptEnded():
            return [outcome.key for outcome in fact.outcomes]


def _system(state: MasterState, fact: facts.SystemPushed | facts.SystemOver) -> list[facts.Fact]:
    application = state.applications.get(fact.application)
    if application is None:
        return []
    if isinstance(fact, facts.SystemOver):
        return [fact] if fact.ended.number >= application.first_number else []
    system = application.systems.get(fact.push.sequence)
    if system is None:
        return []
    child = state.applications.get(system.application)
    told: list[facts.Fact] = [fact]
    if child is not None and system.checkpoint:
        told.append(checkpoint_fact(child, system.checkpoint))
    return [*told, system_started_fact(application.number, system)]
