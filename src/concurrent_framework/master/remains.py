"""What is kept of a task system that fails, so that it can begin again from its last checkpoint. PURE.

That is what a journal would hold of it: the checkpoint, the tasks that it counts on and that have not
ended, and the outcomes that it has not absorbed. What was pushed later is left out, as it would be
rolled back. Tasks that failed are among those that have not ended: to be told of them once more, most
systems would only fail again. `revival` makes a system of it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from concurrent_framework.master import encoding, facts, lifecycle
from concurrent_framework.master.journal import (
    application_fact,
    lost_fact,
    outcome_bytes,
    row_bytes,
    rows_bytes,
)
from concurrent_framework.master.letters import Remains
from concurrent_framework.master.state import Undelivered
from concurrent_framework.model.ids import ATTEMPT_MASK, FENCE_BITS, sequence_of
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.model.spec import digests_in
from concurrent_framework.protocol.tasks import Outcome, SpecEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.state import (
        ApplicationRecord,
        MasterState,
        SystemRecord,
        TaskRecord,
    )
    from concurrent_framework.model.spec import CodeBlob
    from concurrent_framework.protocol.tasks import NewTask

Ended = tuple[Outcome, "NewTask", int]
"""An outcome, its task, and the sequence of the pushed task that this descends from."""


def of_system(state: MasterState, owner: ApplicationRecord, system: SystemRecord) -> Remains | None:
    """Return what a system that fails can begin again with; None if even its beginning is too much."""
    child = state.applications[system.application]
    code = tuple(sorted(owner.digests | child.digests))
    wanted = {*digests_in(system.push.payload), *system.shares}
    number = child.number
    beginning = Remains(system.push, code, number, _blobs(state, wanted & owner.shares))
    room = state.letters.room
    if system.checkpoint and _estimate(state, child, system) <= room:
        wanted.update(digest for spec in child.specs.values() for digest in spec.shares)
        told = b"".join(encoding.encode(_facts(state, child, system)))
        data = _blobs(state, wanted & owner.shares)
        whole = Remains(system.push, code, number, data, told, child.rollbacks)
        if whole.size <= room:
            return whole
    return beginning if beginning.size <= room else None


def _blobs(state: MasterState, digests: Iterable[str]) -> tuple[CodeBlob, ...]:
    return tuple(state.codes[digest] for digest in sorted(digests))


def _counted_on(state: MasterState, child: ApplicationRecord) -> list[TaskRecord]:
    through = child.counted_on
    return [record for record in state.records_of(child.number) if record.root <= through]


def _unabsorbed(child: ApplicationRecord) -> list[Ended]:
    """Return the outcomes that a checkpoint has not absorbed and counts on, in their order."""
    pending = (*child.unabsorbed, *child.unacknowledged, *child.outgoing)
    return [
        (entry.outcome, entry.task, entry.root)
        for entry in pending
        if isinstance(entry, Undelivered) and entry.root <= child.counted_on
    ]


def _estimate(state: MasterState, child: ApplicationRecord, system: SystemRecord) -> int:
    """Return about how many bytes what is kept of a system takes."""
    ended = sum(outcome_bytes(outcome) + row_bytes(task) for outcome, task, _ in _unabsorbed(child))
    rows = rows_bytes([record.task for record in _counted_on(state, child)])
    shared = sum(len(blob.data) for blob in _blobs(state, child.shares))
    return len(system.checkpoint) + ended + rows + shared  # type: ignore[arg-type]  # it is bytes here


def _facts(state: MasterState, child: ApplicationRecord, system: SystemRecord) -> list[facts.Fact]:
    number, epoch = child.number, state.settings.epoch
    unabsorbed = _unabsorbed(child)
    ended = [entry for entry in unabsorbed if not _has_failed(entry[0])]
    failed = [entry for entry in unabsorbed if _has_failed(entry[0])]
    open_tasks, given_up = [], 0
    for record in _counted_on(state, child):
        if record.state == lifecycle.ASSIGNED and not record.spec.spec.idempotent:
            ended.append((_never_again(record, system), record.task, record.root))
            given_up += 1
        else:
            open_tasks.append(record)
    counts = application_fact(state, child)
    told = replace(
        counts,
        first_number=1,
        accepted=child.counted_on,
        failed=counts.failed + given_up - len(failed),
    )
    specs = tuple(SpecEntry(local, spec.spec) for local, spec in child.specs.items())
    own = _blobs(state, child.shares)
    found: list[facts.Fact] = [
        told,
        facts.Defined(number, specs, own),
        facts.Defined(number, (), (), tuple(sorted(child.released))),
        facts.Kept(
            number,
            [sequence_of(record.key) for record in open_tasks],
            [record.task for record in open_tasks],
            [epoch + record.arrived for record in open_tasks],
            [record.root for record in open_tasks],
            [(record.attempt & ATTEMPT_MASK) >> FENCE_BITS for record in open_tasks],
        ),
        facts.Kept(
            number,
            [sequence_of(outcome.key) for outcome, _, _ in failed],
            [task for _, task, _ in failed],
            [epoch] * len(failed),
            [root for _, _, root in failed],
            [(outcome.attempt & ATTEMPT_MASK) >> FENCE_BITS for outcome, _, _ in failed],
        ),
        facts.KeptEnded(
            number,
            list(range(1, len(ended) + 1)),
            [outcome for outcome, _, _ in ended],
            [task for _, task, _ in ended],
            [root for _, _, root in ended],
        ),
        facts.Checkpointed(number, system.checkpoint, 0, child.counted_on),
    ]
    # The numbers of attempts go on, so that what comes of the earlier ones is known to be late.
    found += [lost_fact(record) for record in open_tasks if record.attempt]
    found += [
        facts.Lost(outcome.key, outcome.attempt & ATTEMPT_MASK, 0, ()) for outcome, _, _ in failed
    ]
    found += [
        facts.TaskCheckpointed(record.key, record.checkpoint)
        for record in open_tasks
        if record.checkpoint
    ]
    cancelled = [record.key for record in open_tasks if record.cancelled]
    return [*found, facts.Cancelled(cancelled)] if cancelled else found


def _has_failed(outcome: Outcome) -> bool:
    return outcome.failure is not None and outcome.failure.kind != "cancelled"


def _never_again(record: TaskRecord, system: SystemRecord) -> Outcome:
    """Return the outcome of a task that was at a worker when its system failed, and is not idempotent."""
    failure = Failure(
        "worker_lost",
        "WorkerLost",
        f"{record.task.name} was at a worker when its system {system.push.name} failed: it may have"
        " started, and it is not idempotent, so it is not run again",
        certificate=Certificate(attempts=record.history),
    )
    return Outcome(record.key, record.attempt, failure=failure)
