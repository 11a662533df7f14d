"""Messages between a worker and one of its executor processes, over a local stream socket."""

from __future__ import annotations

from msgspec import Struct

from concurrent_framework.protocol.tasks import (
    Assigned,
    Outcome,
    OutputLine,
    ProgressNote,
    SpecEntry,
)


class Load(Struct, array_like=True, tag=60, gc=False):
    """Worker to executor: specs, and where their code lies on this machine (digest to path)."""

    specs: tuple[SpecEntry, ...]
    paths: dict[str, str]


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
    """Executor to worker: outcomes, in the order in which the tasks ran, and what they printed."""

    outcomes: list[Outcome]
    output: tuple[OutputLine, ...] = ()
    notes: tuple[ProgressNote, ...] = ()


ToExecutor = Load | Chunk | CancelRunning
FromExecutor = Ready | Done
