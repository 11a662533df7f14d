"""Everything that can happen to a pool of executors. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry, TaskCheckpoint


class Learned(NamedTuple):
    """Specs have arrived."""

    specs: Sequence[SpecEntry]


class Submitted(NamedTuple):
    """Tasks have arrived."""

    tasks: Sequence[Assigned]


class RecallWanted(NamedTuple):
    """Up to so many tasks that have not started are wanted back."""

    limit: int


class CancelWanted(NamedTuple):
    """These (key, attempt) are to be stopped."""

    tasks: Sequence[tuple[int, int]]


class Forgotten(NamedTuple):
    """An application is over."""

    application: int


class Came(NamedTuple):
    """An executor that was begun is ready for work."""

    executor: int


class Told(NamedTuple):
    """An executor reported: outcomes in order, how many chunks it has put behind it, checkpoints."""

    executor: int
    outcomes: list[Outcome]
    chunks: int
    checkpoints: Sequence[TaskCheckpoint] = ()


class Withdrawn(NamedTuple):
    """The answer to `Withdraw`: so many tasks, the last ones sent, will not be started."""

    executor: int
    unstarted: int


class Counted(NamedTuple):
    """The answer to `Look`: tasks not started yet, and whether something waits to be sent."""

    executor: int
    unstarted: int
    output: bool


class Weighed(NamedTuple):
    """The answer to `Weigh`: resident memory of the executor and its children, in bytes."""

    executor: int
    memory: int


class Died(NamedTuple):
    """An executor has ended; everything it had sent has been told before.

    Args:
        executor: which.
        unstarted: tasks it was sent and had not started.
        exit_code: how it exited, None if a signal ended it.
        signal: the signal that ended it, 0 if none.
        stderr: last lines of what it wrote there.
        peak_memory: bytes of resident memory it used at most.

    """

    executor: int
    unstarted: int
    exit_code: int | None
    signal: int
    stderr: str
    peak_memory: int


class NotBegun(NamedTuple):
    """An executor could not be started; `reason` is a sentence."""

    executor: int
    reason: str


class Tick(NamedTuple):
    """The pool's deadline has come."""


Event = (
    Learned
    | Submitted
    | RecallWanted
    | CancelWanted
    | Forgotten
    | Came
    | Told
    | Withdrawn
    | Counted
    | Weighed
    | Died
    | NotBegun
    | Tick
)
