"""What happens to a task after an attempt that failed. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.model.ids import nth_attempt
from concurrent_framework.model.outcome import Attempt, Certificate, Failure, Suspect

if TYPE_CHECKING:
    from concurrent_framework.master.state import TaskRecord, WorkerRecord


def should_retry(record: TaskRecord) -> bool:
    """Whether a task whose attempt was lost may run again."""
    spec = record.spec.spec
    return spec.idempotent and record.losses < spec.max_attempts and not record.cancelled


def note_attempt(record: TaskRecord, worker: str, end: str, now: float, epoch: float) -> None:
    """Add the attempt that has just ended to the task's history; see `Settings` about `epoch`."""
    number = nth_attempt(record.attempt)
    attempt = Attempt(number, worker, epoch + record.since, epoch + now, end)
    record.history = (*record.history, attempt)


def with_history(failure: Failure, record: TaskRecord) -> Failure:
    """Return the failure with every attempt of the task in its certificate."""
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
            certificate.suspect,
        ),
    )


def worker_lost(record: TaskRecord, worker: WorkerRecord, reason: str) -> Failure:
    """Return the failure of a task whose worker was lost for the last time."""
    if not record.spec.spec.idempotent:
        advice = "it may have started, and it is not idempotent, so it is not run again"
    elif record.losses > 1:
        advice = f"it was lost with its worker {record.losses} times and is given up"
    else:
        advice = "it allows no further attempt"
    message = f"worker {worker.name} was lost ({reason}) while it had {record.task.name}: {advice}"
    suspect: Suspect = "task" if record.losses > 1 else "worker"
    return with_history(
        Failure(
            "worker_lost",
            "WorkerLost",
            message,
            certificate=Certificate(worker=worker.name, suspect=suspect),
        ),
        record,
    )


def cancelled(record: TaskRecord) -> Failure:
    """Return the failure of a task that was cancelled before it ran."""
    return with_history(
        Failure("cancelled", "TaskCancelled", f"{record.task.name} was cancelled"), record
    )
