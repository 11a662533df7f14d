"""The rows that batches of tasks are made of. A row is the only thing allocated per task."""

from __future__ import annotations

from msgspec import Struct

from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import CodeBlob, TaskSpec

Payload = bytes | int
"""Opaque user data. On the wire a large one is an int: the index of the frame that holds it."""
MAX_PAYLOAD_BYTES = 1 << 30
"""What transports carry in one frame; whoever makes a payload complains of a larger one."""
MAX_CHECKPOINT_BYTES = 16 << 20
"""What a task's checkpoint may take: the master keeps one of each task that runs."""


class NewTask(Struct, array_like=True, gc=False):
    """A task as it is submitted: the number of its spec, its name, its pickled state."""

    spec: int
    name: str
    payload: Payload


class Assigned(Struct, array_like=True, gc=False):
    """A task as it is handed to a worker and on to an executor.

    `restored` is the newest checkpoint that an earlier attempt made, empty if there is none.
    """

    key: int
    attempt: int
    spec: int
    payload: Payload
    restored: Payload = b""


class SpecEntry(Struct, array_like=True, gc=False):
    """Introduces a spec under the number that rows use from then on."""

    number: int
    spec: TaskSpec


class Outcome(Struct, array_like=True, gc=False):
    """What came of one attempt; made by the executor, forwarded as it is to the application.

    Args:
        key: the task.
        attempt: the attempt this is the outcome of.
        result: the pickled result, empty on failure.
        changes: pickled dict of the attributes the task rebound (values) or deleted (absent from
            it, named under the key ``None``), empty if there are none.
        seconds: wall time the attempt ran, without what an executor does once for many tasks: loading
            their code, and rebuilding shared objects.
        failure: the error, None on success.
        spawned: tasks the task made; they exist only if this outcome is accepted.
        worker: number of the worker; filled in by the master.
        specs: specs of spawned tasks that the application has not defined. Their numbers are
            negative and hold in this outcome only; the master gives them others.
        codes: the code that `specs` refer to and that the master may not have.
        children: how many tasks the master accepted from `spawned`, which it takes out.

    """

    key: int
    attempt: int
    result: Payload = b""
    changes: Payload = b""
    seconds: float = 0.0
    failure: Failure | None = None
    spawned: tuple[NewTask, ...] = ()
    worker: int = 0
    specs: tuple[SpecEntry, ...] = ()
    codes: tuple[CodeBlob, ...] = ()
    children: int = 0


class TaskCheckpoint(Struct, array_like=True, gc=False):
    """What a running attempt wants its successor to have: a pickled state."""

    key: int
    attempt: int
    state: Payload


class OutputLine(Struct, array_like=True, gc=False):
    """Something a task or a system printed or logged.

    Args:
        key: the task, or ``application << 40`` for the application's host.
        source: name of the task or system, for people.
        worker: name of the worker, empty for a host.
        stream: ``stdout``, ``stderr``, or a logging level in lower case.
        text: one or more lines, without the final newline.

    """

    key: int
    source: str
    worker: str
    stream: str
    text: str


class ProgressNote(Struct, array_like=True, gc=False):
    """How far a task (its key) or a system (``application << 40``) has come."""

    key: int
    done: float
    total: float
    message: str = ""
