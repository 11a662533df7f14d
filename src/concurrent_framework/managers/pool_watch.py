"""Looking after executors that run: long tasks, timeouts, memory, silence. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import verdicts
from concurrent_framework.managers.pool_dispatch import START_PATIENCE
from concurrent_framework.managers.pool_executor import LATER_SECONDS, WEIGH_SECONDS
from concurrent_framework.managers.verdicts import Doom

if TYPE_CHECKING:
    from concurrent_framework.managers import pool_events as on
    from concurrent_framework.managers.pool_executor import ExecutorRecord
    from concurrent_framework.managers.pool_state import PoolState

NUDGE_SECONDS = 0.1
RECEIVE_SECONDS = 5.0
RECEIVE_BYTES_PER_SECOND = 10e6
"""An executor that is slower than this to take what it is sent has been stopped, or is stuck."""


def tick(pool: PoolState, now: float) -> None:
    """Do what is due."""
    for one in list(pool.executors.values()):
        if one.kill_at <= now:
            _give_up(pool, one)
        if one.look_at <= now and not one.dying:
            one.look_at = now + LATER_SECONDS
            pool.commands.append(do.Look(one.number))
        if one.weigh_at <= now and not one.dying:
            one.weigh_at = now + WEIGH_SECONDS
            pool.commands.append(do.Weigh(one.number))


def counted(pool: PoolState, event: on.Counted, now: float) -> None:
    """Take in how far an executor is: too long with one task, or silent about finished ones."""
    one = pool.executors.get(event.executor)
    if one is None or one.dying:
        return
    started = len(one.flight) - event.unstarted
    if started <= 0:
        one.since = now  # it is still receiving: nobody's time runs
        if event.unstarted and not one.held and now - one.sent_at >= _patience(one):
            pool.withdraw(one)
        pool.plan_look(one, now, late=True)
        return
    still = not one.moved(one.reported + started, now)
    if still and now - one.since >= pool.usual(one):
        one.long = True
    if (started > 1 or event.output) and now - one.nudged >= NUDGE_SECONDS:
        one.nudged = now
        pool.commands.append(do.Nudge(one.number))
    row = one.flight[started - 1]
    limit = pool.timeout(row)
    if limit and now >= one.since + limit:  # as `plan_look` reckons, to the last bit
        text = f"it ran longer than its timeout of {limit:g} s"
        pool.condemn(one, Doom("timeout", row.key, text))
        return
    if one.long and event.unstarted and not one.held:
        pool.withdraw(one)
    pool.plan_look(one, now, late=True)


def _patience(one: ExecutorRecord) -> float:
    """Return how long an executor may take to receive what it was sent."""
    size = sum(len(row.payload) for row in one.flight)  # type: ignore[misc, arg-type]
    return RECEIVE_SECONDS + size / RECEIVE_BYTES_PER_SECOND


def weighed(pool: PoolState, event: on.Weighed, now: float) -> None:
    """Take in how much memory an executor uses."""
    one = pool.executors.get(event.executor)
    if one is None or one.dying or one.lane is None or not one.flight:
        return
    limit = one.lane.share.memory
    if event.memory <= limit:
        return
    used, allowed = verdicts.mebibytes(event.memory), verdicts.mebibytes(limit)
    text = f"it used {used} of memory, more than the {allowed} it asked for"
    pool.condemn(one, Doom("resource_exceeded", 0, text))
    one.weigh_at = now + WEIGH_SECONDS


def _give_up(pool: PoolState, one: ExecutorRecord) -> None:
    """Kill an executor whose time is up: it does not come, not drain, or not stop."""
    if one.dying:
        return
    if one.cancelling and one.flight and one.flight[-1].key == one.cancelling:
        text = f"it was cancelled and did not end within {pool.grace:g} s"
        one.doom = Doom("cancelled", one.cancelling, text)
    elif not one.came:
        pool.barren_reason = f"it was not ready after {START_PATIENCE:g} s"
    pool.kill(one)
