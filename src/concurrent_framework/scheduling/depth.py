"""How much work a worker should hold: enough to never run dry, never so much that it hoards. PURE."""

from __future__ import annotations

from math import floor

DEPTH_SECONDS = 0.010
"""Run time that the work in flight covers, per executor."""
MAX_PER_EXECUTOR = 2048
"""Tasks in flight per executor at most, however short they are."""


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
    return max(at_once, min(floor(covering), int(MAX_PER_EXECUTOR * executors)))


def room(
    executors: float, occupied: float, load: float, share: float, seconds: float | None
) -> int:
    """Return how many more tasks of one kind a worker may be given, >= 0.

    Args:
        executors: how many it has.
        occupied: executors' shares of what it has.
        load: measured run time of what it has, seconds over all executors.
        share: executors that one of the new tasks takes, > 0.
        seconds: measured run time of one of them, None if unknown.

    """
    free = executors - occupied
    at_once = floor(free / share + 1e-9)
    if at_once < 1 and occupied == 0:
        at_once = 1
    if seconds is None:
        return max(at_once, 0)
    uncovered = DEPTH_SECONDS * executors - load
    covering = floor(uncovered / max(share * seconds, 1e-9)) if uncovered > 0 else 0
    limit = floor((MAX_PER_EXECUTOR * executors - occupied) / share)
    return max(at_once, min(covering, limit), 0)
