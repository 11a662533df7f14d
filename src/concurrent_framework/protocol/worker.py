"""Messages between a worker and the master."""

from __future__ import annotations

from msgspec import Struct

from concurrent_framework.model.resources import Capacity
from concurrent_framework.model.spec import CodeBlob
from concurrent_framework.protocol.application import Output, Progress
from concurrent_framework.protocol.session import (
    Goodbye,
    Heartbeat,
    Hello,
    Refused,
    Resync,
    Welcome,
)
from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry, TaskCheckpoint


class Provide(Struct, array_like=True, tag=40, gc=False):
    """Master to worker: code and specs, before the first task that needs them.

    A spec's number is the application's number << 32 | the application's own number for it (< 2**32).
    """

    specs: tuple[SpecEntry, ...] = ()
    codes: tuple[CodeBlob, ...] = ()


class Run(Struct, array_like=True, tag=41, gc=False):
    """Master to worker: run these."""

    tasks: list[Assigned]


class Outcomes(Struct, array_like=True, tag=42, gc=False):
    """Worker to master: what came of tasks. `number` counts these batches from 1 in a session."""

    number: int
    outcomes: list[Outcome]


class OutcomesSafe(Struct, array_like=True, tag=43, gc=False):
    """Master to worker: every batch up to this number is safe, forget it."""

    through: int


class Want(Struct, array_like=True, tag=44, gc=False):
    """Worker to master, polling pattern: I have room for so many tasks more."""

    tasks: int


class Recall(Struct, array_like=True, tag=45, gc=False):
    """Master to worker: give back up to this many tasks that have not started."""

    limit: int


class Recalled(Struct, array_like=True, tag=46, gc=False):
    """Worker to master: (key, attempt) of tasks given back, not started. Also may be empty."""

    tasks: tuple[tuple[int, int], ...]


class CancelRuns(Struct, array_like=True, tag=47, gc=False):
    """Master to worker: stop these (key, attempt); each still gets its outcome."""

    tasks: tuple[tuple[int, int], ...]


class Forget(Struct, array_like=True, tag=48, gc=False):
    """Master to worker: the application is over; end its executors, drop its code and specs."""

    application: int


class Evicted(Struct, array_like=True, tag=53, gc=False):
    """Worker to master: these shared objects are no longer here."""

    digests: tuple[str, ...]


class Need(Struct, array_like=True, tag=51, gc=False):
    """Worker to master: tasks wait here for these shared objects; answered by `Provide` or `Gone`."""

    digests: tuple[str, ...]


class Gone(Struct, array_like=True, tag=52, gc=False):
    """Master to worker: nobody has these shared objects any more; drop them, and fail what waits."""

    digests: tuple[str, ...]


class CapacityChanged(Struct, array_like=True, tag=49, gc=False):
    """Worker to master: what it offers has changed."""

    capacity: Capacity


class Checkpoints(Struct, array_like=True, tag=50, gc=False):
    """Worker to master: the newest checkpoints of tasks that run; each replaces an earlier one."""

    tasks: list[TaskCheckpoint]


FromWorker = (
    Hello
    | Heartbeat
    | Goodbye
    | Outcomes
    | Want
    | Recalled
    | Output
    | Progress
    | CapacityChanged
    | Checkpoints
    | Evicted
    | Need
)
ToWorker = (
    Welcome
    | Refused
    | Resync
    | Goodbye
    | Heartbeat
    | Provide
    | Run
    | OutcomesSafe
    | Recall
    | CancelRuns
    | Forget
    | Gone
)
