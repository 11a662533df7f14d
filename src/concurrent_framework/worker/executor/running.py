"""Which task is running."""

from __future__ import annotations


class Running:
    """The running task, or the last one: its key, its attempt, and its name as far as known."""

    __slots__ = ("attempt", "key", "source")

    def __init__(self) -> None:
        self.key = 0
        self.attempt = 0
        self.source: object = ""
