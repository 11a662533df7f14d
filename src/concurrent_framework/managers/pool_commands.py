"""Everything a pool of executors can ask its shell for. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from concurrent_framework.protocol.tasks import Assigned, Outcome


class Begin(NamedTuple):
    """Start an executor and know it by this number; `Came` or `NotBegun` follows."""

    executor: int


class Bind(NamedTuple):
    """Dedicate an executor to an application and, if any, to these GPUs."""

    executor: int
    application: int
    gpus: tuple[int, ...]


class Send(NamedTuple):
    """Send tasks to an executor, as one chunk."""

    executor: int
    tasks: list[Assigned]


class Withdraw(NamedTuple):
    """Take back what the executor has not started; `Withdrawn` follows at once."""

    executor: int


class Look(NamedTuple):
    """See how far an executor is; `Counted` follows at once."""

    executor: int


class Weigh(NamedTuple):
    """See how much memory an executor uses; `Weighed` follows at once."""

    executor: int


class AskToStop(NamedTuple):
    """Tell an executor that its running task has been cancelled."""

    executor: int
    key: int
    attempt: int


class Nudge(NamedTuple):
    """Make an executor tell what it keeps to itself."""

    executor: int


class Kill(NamedTuple):
    """End an executor at once; `Died` follows."""

    executor: int


class Report(NamedTuple):
    """Hand these outcomes on."""

    outcomes: list[Outcome]


class GiveBack(NamedTuple):
    """Hand these (key, attempt) back: they have not started."""

    tasks: list[tuple[int, int]]


Command = (
    Begin | Bind | Send | Withdraw | Look | Weigh | AskToStop | Nudge | Kill | Report | GiveBack
)
