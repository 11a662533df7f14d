"""What happens to a task after an attempt that failed. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.model.ids import ATTEMPT_MASK, nth_attempt
from concurrent_framework.model.outcome import Attempt, Certificate, Failure, Suspect

if TYPE_CHECKING:
    from concurrent_framework.master.state import TaskRecord, WorkerRecord


END_LENGTH = 200
"""Characters of the reason for which an attempt ended that its history keeps."""
_NAMED = {"timeout": "TaskTimeout", "resource_exceeded": "ResourceExceeded", "failed": "TaskFailed"}


GIVEN_BACK = "given back"
"""How an attempt ended, for its history, that a worker has not begun or has left in an orderly way."""


def should_retry(record: TaskRecord) -> bool:
    """Whether a task whose attempt was lost or has failed may run again."""
    spec = record.spec.spec
    used = record.losses + record.failures
    return spec.idempotent and used < spec.max_attempts and not record.cancelled


def is_wanted(record: TaskRecord, failure: Failure) -> bool:
    """Whether the task names this failure, which is no loss, among those to be attempted again."""
    names = record.spec.spec.retry_on
    return bool(names) and (failure.retriable or _NAMED.get(failure.kind) in names)


def delay(record: TaskRecord) -> float:
    """Return the seconds to wait before the next attempt.

    They double with each attempt. Tasks that failed together must not come back together, so each
    waits between three quarters of that and all of it, by its key and attempt.
    """
    spec = record.spec.spec
    if not spec.backoff:
        return 0.0
    doublings = min(max(record.losses + record.failures - 1, 0), 60)
    longest = min(spec.backoff * 2.0**doublings, spec.max_backoff)
    return longest * (1.0 - 0.25 * _fraction(record.key, record.attempt & ATTEMPT_MASK))


def still_delayed(record: TaskRecord, wall: float) -> float:
    """Return the seconds that are left of a task's backoff under an earlier master.

    It began when the last attempt ended. If the clock was set back since, it begins again.

    Args:
        record: a task that waits, recovered from a journal.
        wall: unix time in seconds.

    """
    if not record.history or record.history[-1].end == GIVEN_BACK:
        return 0.0
    seconds = delay(record)
    return min(max(record.history[-1].ended + seconds - wall, 0.0), seconds)


def _fraction(key: int, attempt: int) -> float:
    """Return a number from 0 to 1 that looks random and is always the same (splitmix64)."""
    mixed = (key * 0x9E3779B97F4A7C15 + attempt * 0xD1B54A32D192ED03) & _BITS
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _BITS
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _BITS
    return (mixed ^ (mixed >> 31)) / _BITS


_BITS = (1 << 64) - 1


def end_of(failure: Failure) -> str:
    """Return how an attempt ended, for its history: the error's type and message."""
    return f"{failure.type}: {failure.message}"[:END_LENGTH]


def note_attempt(record: TaskRecord, worker: str, end: str, now: float, epoch: float) -> None:
    """Add the attempt that has just ended to the task's history; see `Settings` about `epoch`."""
    number = nth_attempt(record.attempt)
    attempt = Attempt(number, worker, epoch + record.since, epoch + now, end)
    record.history = (*record.history, attempt)


def with_history(failure: Failure, record: TaskRecord, suspect: Suspect | None = None) -> Failure:
    """Return the failure with every attempt of the task in its certificate.

    Args:
        failure: as the worker or the master made it.
        record: the task.
        suspect: whom the evidence is against; None to believe the failure.

    """
    certificate = failure.certificate
    return Failure(
        failure.kind,
        failure.type,
        failure.message,
        failure.traceback,
        failure.exception,
        Certificate(
            record.history[-1].worker if record.history else certificate.worker,
            record.history,
            certificate.exit_code,
            certificate.signal,
            certificate.stderr,
            certificate.peak_memory,
            suspect or certificate.suspect,
        ),
    )


def worker_lost(
    record: TaskRecord, worker: WorkerRecord, reason: str, suspect: Suspect, now: float
) -> Failure:
    """Return the failure of a task whose worker was lost for the last time."""
    if not record.spec.spec.idempotent:
        advice = "it may have started, and it is not idempotent, so it is not run again"
    elif record.losses > 1:
        advice = f"it was lost with what ran it {record.losses} times and is given up"
    else:
        advice = "it allows no further attempt"
    message = f"worker {worker.name} was lost ({reason}) while it had {record.task.name}: {advice}"
    message += (
        f"; nothing had been heard of its process{_whereabouts(worker)} for"
        f" {now - worker.last_heard:.1f} s, and how that ended, and with how much memory, is not known"
    )
    certificate = Certificate(
        worker=worker.name, stderr=worker.last_stderr.get(record.key, ""), suspect=suspect
    )
    return with_history(
        Failure("worker_lost", "WorkerLost", message, certificate=certificate), record
    )


def _whereabouts(worker: WorkerRecord) -> str:
    return f" {worker.pid} on {worker.host}" if worker.pid and worker.host else ""


def cancelled(record: TaskRecord) -> Failure:
    """Return the failure of a task that is stopped: it was cancelled, or its deadline has come."""
    if record.overdue:
        return with_history(overdue(record, Certificate()), record)
    return with_history(
        Failure("cancelled", "TaskCancelled", f"{record.task.name} was cancelled"), record
    )


def overdue(record: TaskRecord, certificate: Certificate) -> Failure:
    """Return the failure of a task whose deadline has come."""
    text = f"{record.task.name} had not ended by its deadline, {record.spec.spec.deadline:g} s"
    text += " after it was submitted"
    if record.history:
        text += f"; its last attempt ended with {record.history[-1].end}"
    return Failure("timeout", "TaskTimeout", text, certificate=certificate)
