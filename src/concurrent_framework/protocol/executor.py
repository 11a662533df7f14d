"""Messages between a worker and one of its executor processes, over a local stream socket.

Beside the socket there is a pipe of *tokens*. The worker writes a byte into it for each task of a
chunk, before it sends the chunk. The executor takes a byte out before it starts a task; without one
it drops the task. So the worker can withdraw what has not started by emptying the pipe itself, and
what it finds there, also after the executor's death, says exactly how many tasks have not started.
A withdrawal begins a new *generation*; a byte holds its last eight bits.
"""

from __future__ import annotations

from msgspec import Struct

from concurrent_framework.protocol.tasks import (
    Assigned,
    Outcome,
    OutputLine,
    ProgressNote,
    SpecEntry,
    TaskCheckpoint,
)


class Load(Struct, array_like=True, tag=60, gc=False):
    """Worker to executor: what the tasks of its application are made of.

    Args:
        specs: specs of the application.
        paths: where their code lies on this machine: digest to path.
        environment: variables to set.

    """

    specs: tuple[SpecEntry, ...]
    paths: dict[str, str]
    environment: dict[str, str] = {}


class Chunk(Struct, array_like=True, tag=61, gc=False):
    """Worker to executor: run these in order, each after claiming a token of this generation."""

    generation: int
    tasks: list[Assigned]


class CancelRunning(Struct, array_like=True, tag=62, gc=False):
    """Worker to executor: the running task has been cancelled; it may look and end by itself."""

    key: int
    attempt: int


class Ready(Struct, array_like=True, tag=63, gc=False):
    """Executor to worker: started, with this pid."""

    pid: int


class Done(Struct, array_like=True, tag=64, gc=False):
    """Executor to worker: outcomes, in the order in which the tasks ran, and what they printed.

    `checkpoints` are of the task that runs now, or of one whose outcome is not told yet.

    `chunks` says how many chunks the executor has put behind it since the last one of these; it
    sends one also for a chunk that was withdrawn.
    """

    outcomes: list[Outcome]
    output: tuple[OutputLine, ...] = ()
    notes: tuple[ProgressNote, ...] = ()
    chunks: int = 0
    checkpoints: tuple[TaskCheckpoint, ...] = ()


ToExecutor = Load | Chunk | CancelRunning
FromExecutor = Ready | Done
