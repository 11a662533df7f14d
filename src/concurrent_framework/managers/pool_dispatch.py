"""Which executor gets which tasks, and when there must be more executors. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers.lanes import CHUNK_SECONDS, SHARED_CHUNK_SECONDS, SHORT_SECONDS
from concurrent_framework.managers.pool_executor import WEIGH_SECONDS, ExecutorRecord
from concurrent_framework.scheduling.depth import is_brief

if TYPE_CHECKING:
    from concurrent_framework.managers.lanes import Lane
    from concurrent_framework.managers.pool_state import PoolState

START_PATIENCE = 60.0
"""Seconds after which an executor that has not come is given up."""


def dispatch(pool: PoolState, now: float) -> None:
    """Send what can be sent, in order of arrival, and begin executors that are missing."""
    _take_back(pool)
    lanes = [lane for lane in pool.lanes.values() if lane.queue]
    if len(lanes) > 1:
        lanes.sort(key=lambda lane: lane.oldest)
    wanted = 0
    alone = sum(bool(lane.queue or lane.busy) for lane in pool.lanes.values()) == 1
    alone = alone and not pool.rivals.compete(now)
    for lane in lanes:
        while lane.queue and pool.slots.fits(lane.share):
            one = _idle_for(pool, lane)
            if one is None:
                break
            _employ(pool, one, lane, now, alone=alone)
        _refill(pool, lane, now, alone=alone)
        if lane.queue:
            wanted += _speak_for(pool, lane)
    if lanes:
        pool.slots.release_reserved()
    _begin(pool, wanted, now)


def _take_back(pool: PoolState) -> None:
    """Withdraw tasks that wait in an executor where they could run beside that by now."""
    for lane in pool.lanes.values():
        if lane.queue or not lane.busy or not pool.slots.fits(lane.share):
            continue
        for one in lane.busy.values():
            if len(one.flight) < 2 or one.held or one.dying:
                continue
            seconds = pool.specs[one.flight[-1].spec].seconds
            if seconds is None or seconds * (len(one.flight) - 1) >= SHORT_SECONDS:
                pool.withdraw(one)
                break


def _refill(pool: PoolState, lane: Lane, now: float, *, alone: bool) -> None:
    """Let the next tasks wait in executors, so that these need not ask for them.

    `alone` says that no others want these executors, whose turn it might be.
    """
    for one in lane.busy.values():
        if not lane.queue:
            return
        if one.held or one.dying or one.doom or len(one.flight) > one.last_chunk:
            continue
        if _may_wait(pool, lane, alone=alone) and pool.slots.may_keep(lane.share):
            _send(pool, one, lane, now, alone=alone)


def _may_wait(pool: PoolState, lane: Lane, *, alone: bool) -> bool:
    seconds = pool.specs[lane.queue[0].spec].seconds
    if seconds is None or seconds < SHORT_SECONDS:
        return seconds is not None
    return alone and is_brief(seconds) and not pool.slots.fits(lane.share)


def _idle_for(pool: PoolState, lane: Lane) -> ExecutorRecord | None:
    """Return an executor that may run this lane's tasks now, bound to its application."""
    fresh = None
    for one in pool.executors.values():
        if not one.idle:
            continue
        if one.application == lane.application and pool.slots.has_gpus(lane.share, one.gpus):
            return one
        if not one.application and fresh is None:
            fresh = one
    gpus = pool.slots.choose_gpus(lane.share)
    if fresh is None or gpus is None:
        return None
    fresh.application = lane.application
    fresh.gpus = gpus
    pool.commands.append(do.Bind(fresh.number, lane.application, gpus))
    return fresh


def _employ(pool: PoolState, one: ExecutorRecord, lane: Lane, now: float, *, alone: bool) -> None:
    pool.slots.occupy(lane.share, one.gpus)
    one.lane = lane
    lane.busy[one.number] = one
    # It counts as started now: what it takes to start is microseconds.
    one.position = one.reported + 1
    one.since = now
    one.long = False
    if lane.share.memory:
        one.weigh_at = now + WEIGH_SECONDS
    _send(pool, one, lane, now, alone=alone)


def _send(pool: PoolState, one: ExecutorRecord, lane: Lane, now: float, *, alone: bool) -> None:
    seconds = CHUNK_SECONDS if alone else SHARED_CHUNK_SECONDS
    rows = lane.take(pool.specs, pool.capacity.executors, seconds)
    one.flight.extend(rows)
    one.chunks += 1
    one.last_chunk = len(rows)
    one.sent_at = now
    pool.commands.append(do.Send(one.number, rows))
    pool.plan_look(one, now)


def _speak_for(pool: PoolState, lane: Lane) -> int:
    """Reserve room for a lane that waits; return how many more executors it could use now."""
    wanted = 0
    while wanted < len(lane.queue) and pool.slots.fits(lane.share):
        crowded = len(lane.busy) + wanted >= pool.capacity.executors
        if crowded and not any(one.long for one in lane.busy.values()):
            break
        pool.slots.reserve(lane.share)
        wanted += 1
    if not wanted and not lane.busy:
        pool.slots.reserve(lane.share)
    return wanted


def _begin(pool: PoolState, wanted: int, now: float) -> None:
    living = [one for one in pool.executors.values() if not one.dying]
    # One that has nothing to run, but chunks it has not put behind it, is free in a moment.
    missing = wanted - sum(not one.came or (not one.flight and one.chunks > 0) for one in living)
    if not pool.barren:
        missing = max(missing, pool.capacity.executors - len(living))
    for _ in range(missing):
        if len(living) >= 2 * pool.capacity.executors:
            spare = next((one for one in living if one.idle), None)
            if spare is not None:
                living.remove(spare)
                pool.kill(spare)
        pool.numbers += 1
        one = ExecutorRecord(pool.numbers, now, START_PATIENCE)
        pool.executors[one.number] = one
        living.append(one)
        pool.commands.append(do.Begin(one.number))
