"""Failures of tasks whose executor has ended, or that never had one. PURE."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.model.outcome import Certificate, Failure

if TYPE_CHECKING:
    from concurrent_framework.managers.pool_events import Died
    from concurrent_framework.model.outcome import FailureKind, Suspect

_TYPES: dict[FailureKind, str] = {
    "failed": "TaskFailed",
    "worker_lost": "WorkerLost",
    "timeout": "TaskTimeout",
    "cancelled": "TaskCancelled",
    "resource_exceeded": "ResourceExceeded",
    "not_serializable": "NotSerializable",
}


class Doom(NamedTuple):
    """Why an executor is being killed, and because of which task."""

    kind: FailureKind
    key: int
    text: str


def failure(kind: FailureKind, text: str, worker: str, suspect: Suspect = "unknown") -> Failure:
    """Return the failure of a task that no executor has touched."""
    return Failure(kind, _TYPES[kind], text, certificate=Certificate(worker, suspect=suspect))


def death(died: Died, doom: Doom | None, worker: str) -> Failure:
    """Return the failure of the task that ran when its executor ended."""
    kind: FailureKind = doom.kind if doom else "worker_lost"
    text = doom.text if doom else f"the process that ran it {_ending(died)}"
    certificate = Certificate(
        worker=worker,
        exit_code=died.exit_code,
        signal=died.signal,
        stderr=died.stderr,
        peak_memory=died.peak_memory,
        suspect="task",
    )
    return Failure(kind, _TYPES[kind], text, certificate=certificate)


def _ending(died: Died) -> str:
    if died.exit_code is not None:
        return f"ended with exit code {died.exit_code}"
    try:
        name = signal.Signals(died.signal).name
    except ValueError:
        name = f"signal {died.signal}"
    hint = ", perhaps because the machine was out of memory" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def mebibytes(count: float) -> str:
    """Write a number of bytes for people."""
    return f"{count / (1 << 20):.0f} MiB"
