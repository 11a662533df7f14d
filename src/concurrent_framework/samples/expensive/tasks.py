"""Work that costs processor time and nothing else."""

from __future__ import annotations

from time import perf_counter, thread_time
from typing import NamedTuple

from concurrent_framework import Task

BETWEEN_LOOKS = 1000
"""Turns of an empty loop, some ten microseconds, so that little time goes into reading the clock."""


class Burned(NamedTuple):
    """What a piece of work took: processor time and time of day, in seconds."""

    work: float
    elapsed: float


class Burn(Task):
    """Keeps a core busy.

    Args:
        number: to tell the tasks apart.
        seconds: how much processor time to use, >= 0.

    """

    def __init__(self, number: int, seconds: float) -> None:
        super().__init__(f"burn {number}")
        self.seconds = seconds

    def __call__(self) -> Burned:
        return burn(self.seconds)


def burn(seconds: float) -> Burned:
    """Keep a core busy for this much processor time.

    Processor time and not time of day: a task takes its full share of work even if the machine is
    also busy with other things.
    """
    began = perf_counter()
    start = thread_time()
    end = start + seconds
    while (now := thread_time()) < end:
        for _ in range(BETWEEN_LOOKS):
            pass
    return Burned(now - start, perf_counter() - began)
