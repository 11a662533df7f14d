"""Which task is running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent_framework.protocol.tasks import Payload
    from concurrent_framework.tasks.pickling import IPickler


class Running:
    """The running task, or the last one: its key, its attempt, and its name as far as known.

    `restored` is the checkpoint that it goes on from, empty if there is none. `pickler` is what its
    state came with, None for plain pickle: the tasks that it makes go with the same.
    """

    __slots__ = ("attempt", "key", "pickler", "restored", "source")

    def __init__(self) -> None:
        self.key = 0
        self.attempt = 0
        self.source: object = ""
        self.restored: Payload = b""
        self.pickler: IPickler | None = None
