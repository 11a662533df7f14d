"""Everything a worker's core can ask its shell for. PURE."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from concurrent_framework.model.spec import CodeBlob
from concurrent_framework.protocol.tasks import Assigned, SpecEntry


class Send(Struct, frozen=True):
    """Send these messages to the master, as one envelope."""

    messages: list[Any]


class Learn(Struct, frozen=True):
    """Store code and introduce specs to the manager."""

    specs: tuple[SpecEntry, ...]
    codes: tuple[CodeBlob, ...]


class Discard(Struct, frozen=True):
    """Remove the data of shared objects."""

    digests: tuple[str, ...]


class Execute(Struct, frozen=True):
    """Give tasks to the manager."""

    tasks: list[Assigned]


class TakeBack(Struct, frozen=True):
    """Ask the manager for tasks that have not started; the answer is the event `GivenBack`."""

    limit: int


class Cancel(Struct, frozen=True):
    """Have the manager stop these (key, attempt)."""

    tasks: tuple[tuple[int, int], ...]


class DropApplication(Struct, frozen=True):
    """Have the manager drop everything of an application."""

    application: int


class Log(Struct, frozen=True):
    """Something people should be able to read later."""

    level: Literal["debug", "info", "warning", "error"]
    text: str


class Refuse(Struct, frozen=True):
    """The master does not want this worker: end with its reason."""

    reason: str


class Stop(Struct, frozen=True):
    """Everything has been said: end."""


Command = (
    Send | Learn | Discard | Execute | TakeBack | Cancel | DropApplication | Log | Refuse | Stop
)
