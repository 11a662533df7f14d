"""Work that costs processor time and nothing else."""

from __future__ import annotations

from time import thread_time

from concurrent_framework import Task

BETWEEN_LOOKS = 1000
"""Turns of an empty loop, some ten microseconds, so that little time goes into reading the clock."""


class Burn(Task):
    """Keeps a core busy.

    Args:
        number: to tell the tasks apart.
        seconds: how much processor time to use, >= 0.

    """

    def __init__(self, number: int, seconds: float) -> None:
        super().__init__(f"burn {number}")
        self.seconds = seconds

    def __call__(self) -> float:
        return burn(self.seconds)


def burn(seconds: float) -> float:
    """Keep a core busy for this much processor time; return how much it was.

    Processor time and not time of day: a task takes its full share of work even if the machine is
    also busy with other things.
    """
    start = thread_time()
    end = start + seconds
    while (now := thread_time()) < end:
        for _ in range(BETWEEN_LOOKS):
            pass
    return now - start
