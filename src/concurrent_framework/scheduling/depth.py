"""How much work a worker should hold: enough to never run dry, never so much that it hoards. PURE."""

from __future__ import annotations

from math import floor

DEPTH_SECONDS = 0.030
"""Run time that the work in flight covers, per executor."""
BRIEF_SECONDS = 0.25
"""Behind a task that is known to take no longer than this, another one may wait on the same worker."""
MAX_PER_EXECUTOR = 2048
"""Tasks in flight per executor at most, however short they are."""


def is_brief(seconds: float | None) -> bool:
    """Whether something may wait behind a task that takes so many seconds, None if unknown."""
    return seconds is not None and seconds <= BRIEF_SECONDS


def tasks_in_flight(executors: float, share: float, seconds: float | None) -> int:
    """Return how many tasks of one kind an empty worker should hold.

    Args:
        executors: how many it has.
        share: executors that one task takes, > 0.
        seconds: measured run time of one task, None if unknown (then one per executor).

    """
    at_once = max(1, floor(executors / share + 1e-9))
    if seconds is None:
        return at_once
    covering = DEPTH_SECONDS * executors / max(share * seconds, 1e-9)
    waiting = at_once if is_brief(seconds) else 0
    return max(at_once + waiting, min(floor(covering), int(MAX_PER_EXECUTOR * executors)))


def room(
    executors: float,
    occupied: float,
    lengthy: float,
    load: float,
    share: float,
    seconds: float | None,
) -> int:
    """Return how many more tasks of one kind a worker may be given, >= 0.

    One may wait behind each that is brief, so that executors need not idle while the master hears of
    an end and answers. Nothing waits behind the others. What may wait is any task, brief or not: else
    those of an application that nobody has measured yet would never find a place.

    Args:
        executors: how many it has.
        occupied: executors' shares of what it has.
        lengthy: the part of it whose tasks are not known to be brief; all executors if nothing may wait.
        load: measured run time of what it has, seconds over all executors.
        share: executors that one of the new tasks takes, > 0.
        seconds: measured run time of one of them, None if unknown.

    """
    free = executors - lengthy
    places = executors - occupied + free
    if not is_brief(seconds):
        places = min(places, max(free, executors - occupied))
    at_once = floor(places / share + 1e-9)
    if at_once < 1 and occupied == 0:
        at_once = 1
    if seconds is None:
        return max(at_once, 0)
    uncovered = DEPTH_SECONDS * executors - load
    covering = floor(uncovered / max(share * seconds, 1e-9)) if uncovered > 0 else 0
    limit = floor((MAX_PER_EXECUTOR * executors - occupied) / share)
    return max(at_once, min(covering, limit), 0)
