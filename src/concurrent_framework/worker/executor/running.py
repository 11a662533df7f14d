"""Which task is running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent_framework.tasks.pickling import IPickler


class Running:
    """The running task, or the last one: its key, its attempt, and its name as far as known.

    `pickler` is what its state came with, None for plain pickle: the tasks that it makes go with
    the same.
    """

    __slots__ = ("attempt", "key", "pickler", "source")

    def __init__(self) -> None:
        self.key = 0
        self.attempt = 0
        self.source: object = ""
        self.pickler: IPickler | None = None
