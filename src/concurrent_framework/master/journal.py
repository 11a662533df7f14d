"""What of a round must be safe before anybody is told of it. PURE.

Handlers say what they have done, in one line each; `take` gives it away as facts. Those by which
something comes into being go first, so that whatever else is told of a task follows its submission.
A master without a store has a journal too, which takes nothing.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from concurrent_framework.master import facts, grounds
from concurrent_framework.model.ids import ATTEMPT_MASK
from concurrent_framework.model.spec import DATA
from concurrent_framework.protocol.application import SystemEnded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from concurrent_framework.master.grounds import Judged
    from concurrent_framework.master.letters import Letter
    from concurrent_framework.master.state import (
        ApplicationRecord,
        MasterState,
        SystemRecord,
        TaskRecord,
        Undelivered,
        WorkerRecord,
    )
    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.application import Define, PushSystem
    from concurrent_framework.protocol.tasks import NewTask, Outcome, Payload

ROW_BYTES = 48
"""What a row takes in the journal besides its payload, about."""
SPEC_BYTES = 200


class Journal:
    """The facts of the present round.

    Args:
        state: what they are about.
        kept: whether there is a store that they go to.

    """

    def __init__(self, state: MasterState, *, kept: bool) -> None:
        self.kept = kept
        self._state = state
        self._first: list[facts.Fact] = []
        self._then: list[facts.Fact] = []
        self._ended: set[int] = set()
        self._changed: set[int] = set()
        self._judged: dict[Judged, None] = {}

    def take(self, now: float) -> list[facts.Fact]:
        """Return the facts of the round, in their order, and start afresh."""
        if not (self._first or self._then or self._ended or self._changed or self._judged):
            return []
        present, at = self._state.applications, self._state.settings.epoch + now
        taken = [*self._first, *self._then]
        for number in sorted(self._ended & present.keys()):
            taken += _outcomes(present[number], at)
        for number in sorted(self._changed & present.keys()):
            taken.append(application_fact(self._state, present[number]))
        taken += grounds.evidence(self._state, self._judged)
        self._first, self._then, self._ended, self._changed = [], [], set(), set()
        self._judged.clear()
        return taken

    # What the master itself does.

    def begun(self) -> None:
        """Note that the master begins."""
        if self.kept:
            self._first.append(life_fact(self._state))

    def joined(self, worker: WorkerRecord) -> None:
        """Note a worker that is new, or that people have sent to rest or back to work."""
        if self.kept:
            self._then.append(worker_fact(worker))

    def gone(self, worker: WorkerRecord) -> None:
        """Note that a worker is gone."""
        if self.kept:
            self._then.append(facts.WorkerGone(worker.number))

    def judged(self, *whom: Judged) -> None:
        """Note that there is more or less that speaks against these."""
        if self.kept:
            self._judged.update(dict.fromkeys(whom))

    # Applications.

    def changed(self, application: ApplicationRecord) -> None:
        """Note that an application is new, or that what is written of it whole has changed."""
        if self.kept:
            self._changed.add(application.number)

    def over(self, application: ApplicationRecord) -> None:
        """Note that an application is gone with everything it had."""
        if self.kept:
            self._then.append(facts.ApplicationOver(application.number))

    def defined(self, application: ApplicationRecord, new: Define) -> None:
        """Note new specs and code, and what was released before."""
        if self.kept and (new.specs or new.codes or new.released):
            number = application.number
            self._first.append(facts.Defined(number, new.specs, new.codes, new.released))
            application.live_bytes += definition_bytes(new.specs, new.codes)
            application.copies.update(blob.digest for blob in new.codes if blob.kind == DATA)

    def dropped(self, application: ApplicationRecord, blobs: Iterable[CodeBlob]) -> None:
        """Note that nobody needs these shared objects; what was released tells so at the replay."""
        if self.kept:
            application.live_bytes -= definition_bytes((), blobs)

    def submitted(
        self,
        application: ApplicationRecord,
        first: int,
        rows: list[NewTask],
        now: float,
        root: int,
    ) -> None:
        """Note accepted tasks."""
        if self.kept:
            at = self._state.settings.epoch + now
            self._first.append(facts.Submitted(application.number, first, rows, at, root))
            application.live_bytes += rows_bytes(rows)

    def ended(self, application: ApplicationRecord) -> None:
        """Note that outcomes were put into an application's outbox; `take` looks at them together."""
        if self.kept:
            self._ended.add(application.number)

    def delivered(
        self, application: ApplicationRecord, entries: Sequence[Undelivered | SystemEnded]
    ) -> None:
        """Note that an application has handled the first of its outcomes."""
        if not self.kept:
            return
        if not application.parent:  # of a system's outcomes, checkpoints tell which are handled
            through = application.first_number - 1
            self._then.append(facts.Delivered(application.number, through))
        undelivered, size = application.undelivered, 0
        for entry in entries:
            if isinstance(entry, SystemEnded):
                size += system_bytes(entry)
            else:
                outcome = entry.outcome
                del undelivered[outcome.key]
                size += len(entry.task.payload) + len(outcome.result) + len(outcome.changes)  # type: ignore[arg-type]
                size += 2 * ROW_BYTES
        application.live_bytes -= size

    # Systems' checkpoints, and tasks'.

    def checkpointed(self, child: ApplicationRecord, state: Payload) -> None:
        """Note a system's checkpoint; outcomes that it has absorbed matter no longer."""
        if self.kept:
            self._then.append(checkpoint_fact(child, state))
            self._release(child, child.unabsorbed)

    def before_rollback(self, child: ApplicationRecord) -> None:
        """Note the outcomes of this round before others take their numbers."""
        if child.number in self._ended:
            self._ended.discard(child.number)
            self._first.extend(_outcomes(child, 0.0))

    def rolled_back(self, child: ApplicationRecord, dropped: Iterable[Undelivered]) -> None:
        """Note that a system has gone back to its checkpoint; these outcomes never were."""
        if not self.kept:
            return
        kept = [entry for entry in child.outgoing if not isinstance(entry, SystemEnded)]
        keys = [entry.outcome.key for entry in kept]
        self._first.append(facts.RolledBack(child.number, child.counted_on, child.rollbacks, keys))
        self._release(child, dropped)
        for number, entry in enumerate(kept, 1):
            entry.number = number
            child.undelivered[entry.outcome.key] = entry
        child.journalled = len(kept)
        self._ended.discard(child.number)

    def task_checkpointed(self, record: TaskRecord) -> None:
        """Note a task's checkpoint."""
        if self.kept:
            self._then.append(facts.TaskCheckpointed(record.key, record.checkpoint))

    def _release(self, application: ApplicationRecord, entries: Iterable[Undelivered]) -> None:
        for entry in entries:
            if application.undelivered.get(entry.outcome.key) is entry:
                del application.undelivered[entry.outcome.key]
                application.live_bytes -= row_bytes(entry.task) + outcome_bytes(entry.outcome)

    # Tasks.

    def finishing(self, outcome: Outcome) -> None:
        """Note that `finished` is called before this outcome is delivered."""
        if self.kept:
            self._then.append(facts.Finishing(outcome))

    def cancelled(self, records: Iterable[TaskRecord]) -> None:
        """Note that tasks at workers are to be cancelled."""
        if self.kept:
            keys = [record.key for record in records]
            self._then.extend([facts.Cancelled(keys)] if keys else [])

    def lost(self, record: TaskRecord) -> None:
        """Note that an attempt has ended without an outcome."""
        if self.kept:
            self._then.append(lost_fact(record))

    def handed(self, records: Sequence[TaskRecord]) -> None:
        """Note to whom tasks are handed, if they must not run twice; they are of one class."""
        if self.kept and not records[0].spec.spec.idempotent:
            self._then.extend(
                facts.Handed(record.key, record.attempt, record.worker) for record in records
            )

    def returned(self, record: TaskRecord) -> None:
        """Note that a task was not started where it had been handed."""
        if self.kept and not record.spec.spec.idempotent:
            self._then.append(facts.Handed(record.key, record.attempt, 0))

    # Systems.

    def system_pushed(self, application: ApplicationRecord, push: PushSystem) -> None:
        """Note an accepted task system."""
        if self.kept:
            self._first.append(facts.SystemPushed(application.number, push))
            application.live_bytes += row_bytes(push)

    def system_started(self, application: ApplicationRecord, system: SystemRecord) -> None:
        """Note which application is the system's own."""
        if self.kept:
            self._then.append(system_started_fact(application.number, system))

    def system_over(self, application: ApplicationRecord, ended: SystemEnded) -> None:
        """Note what came of a system."""
        if self.kept:
            self._then.append(facts.SystemOver(application.number, ended))
            application.live_bytes += system_bytes(ended)
            if ended.origin is not None:
                application.live_bytes -= row_bytes(ended.origin)

    def revived(self, told: Iterable[facts.Fact]) -> None:
        """Note a system's own application that was gone, perhaps in this round, and all there is of it."""
        if self.kept:
            self._then.extend(told)

    # What people may look at later.

    def letter(self, key: int) -> None:
        """Note that a failed task is kept, how it stands now, or that it is kept no longer."""
        if not self.kept:
            return
        letters = self._state.letters
        letter = letters.get(key)
        if letter is None:
            self._then.append(facts.Unfailed(key))
            return
        for digest in letter.digests:
            if digest not in letters.written and digest in self._state.codes:
                letters.written.add(digest)
                self._then.append(facts.FailedCode(self._state.codes[digest]))
        self._then.append(failed_fact(self._state, letter))

    def history(self, entry: dict[str, Any]) -> None:
        """Note what is to be remembered of an application that is over."""
        if self.kept:
            self._then.append(facts.History(entry))


def _outcomes(application: ApplicationRecord, at: float) -> list[facts.Fact]:
    """Return what came into an application's outbox since it was looked at last, and number it."""
    number = max(application.journalled + 1, application.first_number)
    application.journalled = application.next_delivery - 1
    count = application.next_delivery - number
    entries = list(islice(reversed(application.outgoing), count))
    entries += islice(reversed(application.unacknowledged), count - len(entries))
    found: list[facts.Fact] = []
    outcomes: list[Outcome] = []
    size = 0
    for entry in reversed(entries):
        if isinstance(entry, SystemEnded):
            # It was written down when it came, as `SystemOver`.
            outcomes = []
        else:
            if not outcomes:
                found.append(facts.Ended(application.number, number, outcomes, at))
            outcome = entry.outcome
            entry.number = number
            outcomes.append(outcome)
            application.undelivered[outcome.key] = entry
            size += len(outcome.result) + len(outcome.changes) + ROW_BYTES  # type: ignore[arg-type]
        number += 1
    application.live_bytes += size
    return found


def definition_bytes(specs: Collection[object], codes: Iterable[CodeBlob]) -> int:
    """Return about how many bytes specs and code take in the journal."""
    return sum(len(blob.data) for blob in codes) + SPEC_BYTES * len(specs)


def rows_bytes(rows: Collection[NewTask]) -> int:
    """Return about how many bytes tasks take in the journal."""
    payloads = cast("list[bytes]", [row.payload for row in rows])
    return sum(map(len, payloads)) + ROW_BYTES * len(rows)


def row_bytes(row: NewTask | PushSystem) -> int:
    """Return about how many bytes a task or a system takes in the journal."""
    return len(row.payload) + ROW_BYTES  # type: ignore[arg-type]  # decoded payloads are bytes


def outcome_bytes(outcome: Outcome) -> int:
    """Return about how many bytes an outcome takes in the journal."""
    return len(outcome.result) + len(outcome.changes) + ROW_BYTES  # type: ignore[arg-type]


def system_bytes(ended: SystemEnded) -> int:
    """Return about how many bytes what came of a system takes in the journal."""
    size = len(ended.result) + len(ended.state)  # type: ignore[arg-type]
    return size + (ROW_BYTES if ended.origin is None else row_bytes(ended.origin))


def life_fact(state: MasterState) -> facts.Life:
    """Return which numbers have been used."""
    return facts.Life(state.life, state.next_number, state.next_worker)


def application_fact(state: MasterState, application: ApplicationRecord) -> facts.Application:
    """Return how an application stands."""
    counts = application.counts
    return facts.Application(
        application.number,
        application.session,
        application.name,
        application.parent,
        application.weight,
        state.settings.epoch + application.began,
        application.accepted,
        application.next_spawned,
        application.knows_from,
        application.absorbed + 1 if application.parent else application.first_number,
        counts.finished,
        counts.failed,
        counts.cancelled,
        application.detached,
        application.raised,
        application.paused,
        application.steered,
        application.added,
        application.origin,
        application.rollbacks,
    )


def checkpoint_fact(child: ApplicationRecord, state: Payload) -> facts.Checkpointed:
    """Return a system's checkpoint."""
    return facts.Checkpointed(child.number, state, child.absorbed, child.counted_on)


def worker_fact(worker: WorkerRecord) -> facts.WorkerJoined:
    """Return that a worker is there."""
    return facts.WorkerJoined(
        worker.number,
        worker.session,
        worker.name,
        worker.standing.draining,
        worker.capacity,
        worker.host,
        worker.pid,
    )


def failed_fact(state: MasterState, letter: Letter) -> facts.Failed:
    """Return a failed task that is kept."""
    return facts.Failed(replace(letter, ended=state.settings.epoch + letter.ended))


def lost_fact(record: TaskRecord) -> facts.Lost:
    """Return what a task has been through."""
    return facts.Lost(
        record.key,
        record.attempt & ATTEMPT_MASK,
        record.losses,
        record.history,
        record.failures,
    )


def system_started_fact(application: int, system: SystemRecord) -> facts.SystemStarted:
    """Return which application is the system's own."""
    return facts.SystemStarted(
        application, system.push.sequence, system.application, system.attempt
    )
