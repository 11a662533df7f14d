"""Everything an application's session can ask its shell for. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol import application as say
from concurrent_framework.protocol.application import (
    FinishTask,
    HostJob,
    NodeLost,
    SystemEnded,
    WorkersChanged,
)
from concurrent_framework.protocol.session import Welcome
from concurrent_framework.protocol.tasks import NewTask, Outcome, OutputLine, ProgressNote

if TYPE_CHECKING:
    from collections.abc import Callable


class Send(Struct, frozen=True):
    """Send these messages as one envelope. One that opens with `Hello` starts a new numbering."""

    messages: list[Any]


class Begin(Struct, frozen=True):
    """The master has taken the application in for the first time: start it."""

    welcome: Welcome


class Regained(Struct, frozen=True):
    """The master is there again after `MasterLost`; `restarted` if it is a new process."""

    restarted: bool


class MasterLost(Struct, frozen=True):
    """No sign of life from the master for its lease, or it said goodbye."""

    reason: str


class PushAccepted(Struct, frozen=True):
    """Everything pushed up to this sequence is safe at the master."""

    through: int


class PushRejected(Struct, frozen=True):
    """The master did not take these."""

    first: int
    count: int
    failure: Failure


class TasksEnded(Struct, frozen=True):
    """Call back for these outcomes, numbered ``first``, ``first + 1``, …; then say `Handled`."""

    first: int
    outcomes: list[Outcome]
    origins: dict[int, NewTask]


class Drawn(Struct, frozen=True):
    """What is drawn lazily has come to an end somewhere; shells post it to themselves."""


class SystemOver(Struct, frozen=True):
    """Call back for the end of a task system; then say `Handled` with its number."""

    ended: SystemEnded


class ShowOutput(Struct, frozen=True):
    """Show what tasks and systems printed and logged."""

    lines: tuple[OutputLine, ...]


class ShowProgress(Struct, frozen=True):
    """Show how far tasks and systems have come."""

    notes: tuple[ProgressNote, ...]


class WorkerGone(Struct, frozen=True):
    """A worker was lost."""

    lost: NodeLost


class SwarmChanged(Struct, frozen=True):
    """The swarm has grown or shrunk."""

    now: WorkersChanged


class TakeJob(Struct, frozen=True):
    """Hosts: this is what you are for."""

    job: HostJob


class CheckpointLost(Struct, frozen=True):
    """Hosts: the last checkpoint may not have reached the master; take another one."""


class ConsiderCheckpoint(Struct, frozen=True):
    """Hosts: the time has come when a checkpoint may be due. From the host itself."""


class CallFinished(Struct, frozen=True):
    """Hosts: call `finished` of these tasks, then tell `Finished`."""

    items: tuple[FinishTask, ...]


class End(Struct, frozen=True):
    """It is over; `error` says why it failed, None after a goodbye."""

    error: ConcurrentError | None


Command = (
    Send
    | Begin
    | Regained
    | MasterLost
    | PushAccepted
    | PushRejected
    | TasksEnded
    | Drawn
    | SystemOver
    | ShowOutput
    | ShowProgress
    | WorkerGone
    | SwarmChanged
    | TakeJob
    | CheckpointLost
    | ConsiderCheckpoint
    | CallFinished
    | End
)

PASSED_ON: dict[type, Callable[[Any], Command]] = {
    say.Output: lambda message: ShowOutput(message.lines),
    say.Progress: lambda message: ShowProgress(message.notes),
    say.NodeLost: WorkerGone,
    say.WorkersChanged: SwarmChanged,
    say.HostJob: TakeJob,
    say.Finish: lambda message: CallFinished(message.items),
}
"""What the master says that a session only hands on."""
