"""What came of a task: a result, or a failure with its death certificate."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FailureKind = Literal[
    "failed", "worker_lost", "timeout", "cancelled", "resource_exceeded", "not_serializable"
]
"""``failed``: user code raised. ``worker_lost``: what ran it died. The rest say it themselves."""

Suspect = Literal["task", "worker", "unknown"]


class Attempt(Struct, frozen=True, array_like=True, gc=False):
    """One time a task was handed to a worker: unix times in seconds, and how it ended.

    `end` is for people: the error's type and message, or ``worker lost`` or ``given back``.
    """

    number: int
    worker: str
    started: float
    ended: float
    end: str


class Certificate(Struct, frozen=True, array_like=True, gc=False):
    """Why and where a task ended badly.

    Args:
        worker: name of the worker of the last attempt, empty if it never ran.
        attempts: every attempt, the first first.
        exit_code: how its executor exited, None if it did not.
        signal: the signal that ended its executor, 0 if none.
        stderr: the last lines the task or its executor wrote to stderr.
        peak_memory: bytes of resident memory its executor used at most, 0 if unknown.
        suspect: whether the task or the worker is to blame.

    """

    worker: str = ""
    attempts: tuple[Attempt, ...] = ()
    exit_code: int | None = None
    signal: int = 0
    stderr: str = ""
    peak_memory: int = 0
    suspect: Suspect = "unknown"


class Failure(Struct, frozen=True, array_like=True, gc=False):
    """A task's error as it travels.

    Args:
        kind: the class of failure.
        type: name of the exception's type, or of the kind.
        message: one line for people.
        traceback: the remote traceback as text, empty if there is none.
        exception: the pickled exception, empty if there is none; opaque to master and worker.
        certificate: where and how.
        retriable: the exception is of a kind that the task's ``retry_on`` names.

    """

    kind: FailureKind
    type: str
    message: str
    traceback: str = ""
    exception: bytes = b""
    certificate: Certificate = Certificate()
    retriable: bool = False
