"""Everything that can happen to a worker. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from concurrent_framework.model.resources import Capacity
from concurrent_framework.protocol.tasks import Outcome, OutputLine, ProgressNote, TaskCheckpoint


class Received(Struct, frozen=True):
    """Messages from the master, in order."""

    messages: list[Any]


class Missed(Struct, frozen=True):
    """Something the master sent was lost or could not be read; `reason` is for people."""

    reason: str


class Reported(Struct, frozen=True):
    """What the task manager has to say; see `managers.base.Report`."""

    outcomes: list[Outcome]
    output: list[OutputLine]
    notes: list[ProgressNote]
    capacity: Capacity | None = None
    checkpoints: Sequence[TaskCheckpoint] = ()


class GivenBack(Struct, frozen=True):
    """The manager's answer to a recall: (key, attempt) of tasks that have not started."""

    tasks: list[tuple[int, int]]


class Tick(Struct, frozen=True):
    """The deadline that the reactor asked for has come."""


class Stopping(Struct, frozen=True):
    """The worker is asked to end."""

    reason: str


Event = Received | Missed | Reported | GivenBack | Tick | Stopping
