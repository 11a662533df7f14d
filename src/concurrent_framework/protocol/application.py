"""Messages between an application (or a system host, which is one too) and the master."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import CodeBlob, CodeReference
from concurrent_framework.protocol.session import (
    Goodbye,
    Heartbeat,
    Hello,
    Refused,
    Resync,
    Welcome,
)
from concurrent_framework.protocol.tasks import (
    NewTask,
    Outcome,
    OutputLine,
    Payload,
    ProgressNote,
    SpecEntry,
)


class Define(Struct, array_like=True, tag=10, gc=False):
    """Application to master: code, data and specs that later rows refer to.

    Repeating one is harmless. `released` are digests of shared objects that no later row refers to.
    """

    specs: tuple[SpecEntry, ...] = ()
    codes: tuple[CodeBlob, ...] = ()
    released: tuple[str, ...] = ()


class Submit(Struct, array_like=True, tag=11, gc=False):
    """Application to master: tasks with the sequences ``first``, ``first + 1``, …"""

    first: int
    tasks: list[NewTask]


class Accepted(Struct, array_like=True, tag=12, gc=False):
    """Master to application: everything up to this sequence is safe."""

    through: int


class Rejected(Struct, array_like=True, tag=13, gc=False):
    """Master to application: these tasks (or this system) were not taken; the sequences are used."""

    first: int
    count: int
    failure: Failure


class Deliver(Struct, array_like=True, tag=14, gc=False):
    """Master to application: outcomes numbered ``first``, ``first + 1``, … in this application.

    Args:
        first: number of the first outcome, counting from 1.
        outcomes: the outcomes.
        origins: for tasks the receiver may not know (spawned, or pushed by an earlier process):
            index in `outcomes` to the task as it was submitted.

    """

    first: int
    outcomes: list[Outcome]
    origins: dict[int, NewTask] = {}


class Delivered(Struct, array_like=True, tag=15, gc=False):
    """Application to master: every outcome up to this number has been handled."""

    through: int


class CancelTasks(Struct, array_like=True, tag=16, gc=False):
    """Application to master: cancel these sequences, and every task of these specs.

    Without either, every task the application has. Specs include tasks that tasks have made.
    """

    sequences: tuple[int, ...] = ()
    specs: tuple[int, ...] = ()


class PushSystem(Struct, array_like=True, tag=17, gc=False):
    """Application to master: a task system. It takes a sequence of its own, as a task does."""

    sequence: int
    name: str
    code: CodeReference
    payload: Payload


class SystemEnded(Struct, array_like=True, tag=18, gc=False):
    """Master to application: what came of a task system; numbered among the outcomes.

    Args:
        number: its number among the application's outcomes.
        sequence: the system.
        result: pickled result of ``gather_result``.
        state: pickled state of the system at its end, so that its instance can be updated.
        failure: the error that ended it, None on success.
        origin: the system as it was pushed, for a new process; None if the receiver has it.

    """

    number: int
    sequence: int
    result: Payload = b""
    state: Payload = b""
    failure: Failure | None = None
    origin: PushSystem | None = None


class Output(Struct, array_like=True, tag=19, gc=False):
    """What tasks and hosts printed and logged, on its way to the application."""

    lines: tuple[OutputLine, ...]


class Progress(Struct, array_like=True, tag=20, gc=False):
    """How far tasks and systems have come, on its way to the application."""

    notes: tuple[ProgressNote, ...]


class NodeLost(Struct, array_like=True, tag=21, gc=False):
    """Master to application: a worker that ran its tasks was lost; they are run elsewhere."""

    worker: str
    tasks: int
    reason: str


class HostJob(Struct, array_like=True, tag=22, gc=False):
    """Master to host, after Welcome: what this host is for.

    Also sent to a process that takes over an application it did not start, so that it can rebuild
    the tasks; specs of its own must have numbers above these.

    Args:
        system: the system to run; None for a host that only calls ``finished`` of plain tasks.
        specs: specs of the application's tasks.
        codes: all code it may need.
        checkpoint: the state to go on from, empty to begin at the beginning.

    """

    system: PushSystem | None = None
    specs: tuple[SpecEntry, ...] = ()
    codes: tuple[CodeBlob, ...] = ()
    checkpoint: Payload = b""


class FinishTask(Struct, array_like=True, gc=False):
    """One call of ``finished`` to make: the task as submitted and its outcome."""

    task: NewTask
    outcome: Outcome


class Finish(Struct, array_like=True, tag=23, gc=False):
    """Master to host: call ``finished`` of these tasks, in order."""

    items: tuple[FinishTask, ...]


class Finished(Struct, array_like=True, tag=24, gc=False):
    """Host to master: ``finished`` of these tasks has returned (or raised, which it has logged)."""

    keys: tuple[int, ...]


class SystemDone(Struct, array_like=True, tag=25, gc=False):
    """Host to master: the system is complete, or failed."""

    result: Payload = b""
    state: Payload = b""
    failure: Failure | None = None


class Checkpoint(Struct, array_like=True, tag=30, gc=False):
    """Host to master: where its system stands between two callbacks.

    It acknowledges outcomes as `Delivered` does. From here on the master keeps those it delivers
    for tasks that this checkpoint counts on, until a later one has absorbed them too.

    Args:
        number: counts the checkpoints of a host from 1; `Checkpointed` names it.
        absorbed: number of the last outcome that the system has been told of.
        pushed: the last of its sequences that the master had accepted; what came later is rolled
            back when the system is restored.
        state: opaque; for the host that goes on from here.

    """

    number: int
    absorbed: int
    pushed: int
    state: Payload


class Checkpointed(Struct, array_like=True, tag=31, gc=False):
    """Master to host: the checkpoint of this number is safe."""

    number: int


class WorkersChanged(Struct, array_like=True, tag=26, gc=False):
    """Master to application and host: what the swarm has now, over all workers.

    `names` introduces workers by the numbers that `Outcome.worker` uses; each is named once.
    """

    workers: int
    executors: int
    names: dict[int, str] = {}


class Added(Struct, array_like=True, tag=35, gc=False):
    """Master to application: so many tasks it has got, all in all, that nobody pushed or spawned.

    They are failed tasks that somebody has the master attempt again.
    """

    total: int


QueryKind = Literal[
    "status",
    "workers",
    "applications",
    "tasks",
    "task",
    "explain",
    "events",
    "output",
    "failures",
    "ended",
    "cancel",
    "remove",
    "attach",
    "codes",
    "failed",
    "show",
    "pause",
    "resume",
    "priority",
    "drain",
    "retry",
]


class Query(Struct, array_like=True, tag=27, gc=False):
    """A question or an order of a command; answered by `Answer` with the same id."""

    id: int
    kind: QueryKind
    arguments: dict[str, Any] = {}


class Answer(Struct, array_like=True, tag=28, gc=False):
    """The reply to a `Query`: a value of builtin types, or an error for people."""

    id: int
    value: Any = None
    error: str = ""


FromApplication = (
    Hello
    | Heartbeat
    | Goodbye
    | Define
    | Submit
    | Delivered
    | CancelTasks
    | PushSystem
    | Output
    | Progress
    | Finished
    | SystemDone
    | Checkpoint
    | Query
)
ToApplication = (
    Welcome
    | Refused
    | Resync
    | Goodbye
    | Heartbeat
    | Accepted
    | Rejected
    | Deliver
    | SystemEnded
    | Output
    | Progress
    | NodeLost
    | HostJob
    | Finish
    | WorkersChanged
    | Added
    | Checkpointed
    | Answer
)
