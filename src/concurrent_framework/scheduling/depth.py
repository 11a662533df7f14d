"""How much work a worker should hold: enough to never run dry, never so much that it hoards. PURE."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent_framework.protocol.tasks import Outcome
    from concurrent_framework.scheduling.base import WorkerView

DEPTH_SECONDS = 0.150
"""Run time that the work in flight covers, per executor, as long as nobody else wants to have some done."""
SHARED_DEPTH_SECONDS = 0.030
"""The same while others do: what is handed out cannot be overtaken any more."""
BRIEF_SECONDS = 0.25
"""Behind a task that is known to take no longer than this, another one may wait on the same worker."""
FAILED_SECONDS = 0.01
"""Tasks take at least this, as long as all that ended have failed."""
MAX_PER_EXECUTOR = 2048
"""Tasks in flight per executor at most, however short they are."""


def seconds_of(outcome: Outcome, known: float | None) -> float:
    """Return what an outcome says about how long such tasks take; `known` is what was known before.

    One that failed may have done so at once, and then says nothing about those that will not.
    """
    if outcome.failure is None:
        return outcome.seconds
    return max(outcome.seconds, FAILED_SECONDS if known is None else known)


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


def room(worker: WorkerView, share: float, seconds: float | None) -> int:
    """Return how many more tasks of one kind a worker may be given, >= 0.

    One may wait behind each that is brief, so that executors need not idle while the master hears of
    an end and answers. Nothing waits behind the others. What may wait is any task, brief or not: else
    those of an application that nobody has measured yet would never find a place, as little as they
    would if each of the many short ones that cover the depth counted as one in whose place they wait.

    Args:
        worker: what is known of it; its `room` does not matter.
        share: executors that one of the new tasks takes, > 0.
        seconds: measured run time of one of them, None if unknown.

    """
    executors, occupied, load = worker.executors, worker.occupied, worker.load
    free = executors - worker.lengthy
    places = executors - occupied + free
    if not is_brief(seconds):
        brief = occupied - worker.lengthy
        places += max(brief - max(worker.crowd, min(brief, free)), 0)
        places = min(places, max(free, executors - occupied))
    at_once = floor(places / share + 1e-9)
    if at_once < 1 and occupied == 0:
        at_once = 1
    if seconds is None:
        return max(at_once, 0)
    uncovered = worker.depth * executors - load
    covering = floor(uncovered / max(share * seconds, 1e-9) + 1e-9) if uncovered > 0 else 0
    limit = floor((MAX_PER_EXECUTOR * executors - occupied) / share)
    return max(at_once, min(covering, limit), 0)


def crowding(share: float, seconds: float) -> float:
    """Return how much of an executor a brief task counts for to one that would have to wait for it."""
    return share * min(seconds / SHARED_DEPTH_SECONDS, 1.0)
