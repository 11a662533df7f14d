"""Beginning and end of executors, and what becomes of their tasks. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import verdicts
from concurrent_framework.managers.pool_executor import NEVER

if TYPE_CHECKING:
    from concurrent_framework.managers import pool_events as on
    from concurrent_framework.managers.pool_state import PoolState
    from concurrent_framework.managers.verdicts import Doom
    from concurrent_framework.protocol.tasks import Assigned

BARREN_LIMIT = 3
"""Executors that may end in a row without having run anything."""


def came(pool: PoolState, event: on.Came, now: float) -> None:
    """Take in an executor that is ready for work."""
    one = pool.executors.get(event.executor)
    if one is not None:
        one.came = True
        one.since = now
        one.kill_at = NEVER


def died(pool: PoolState, event: on.Died) -> None:
    """Take in the end of an executor: one task is to blame for it at most."""
    one = pool.executors.pop(event.executor, None)
    if one is None:
        return
    rows = list(one.flight)
    started = len(rows) - event.unstarted
    one.flight.clear()
    if one.lane is not None:
        del one.lane.busy[one.number]
        pool.slots.vacate(one.lane.share, one.gpus)
    if started > 0:
        pool.barren = 0
        _blame(pool, rows[started - 1], event, one.doom)
    _spare(pool, rows[: max(0, started - 1)], rows[max(0, started) :], event)
    if not one.reported and started <= 0 and (not one.dying or not one.came):
        reason = pool.barren_reason or (
            f"it ended at once, with exit code {event.exit_code}, signal {event.signal}"
        )
        _count_barren(pool, f"{reason}; {event.stderr}" if event.stderr else reason)


def _blame(pool: PoolState, row: Assigned, event: on.Died, doom: Doom | None) -> None:
    """Report the task that ran when its executor died."""
    pool.cancelled.discard((row.key, row.attempt))
    mine = doom if doom is not None and doom.key == row.key else None
    pool.fail([row], verdicts.death(event, mine, pool.worker))


def _spare(
    pool: PoolState, unreported: list[Assigned], unstarted: list[Assigned], event: on.Died
) -> None:
    """Run elsewhere what an executor that died had not started, or not told the end of."""
    again: list[Assigned] = []
    for row in unreported:
        spec = pool.specs.get(row.spec)
        if spec is not None and spec.spec.idempotent:
            again.append(row)
        else:
            _blame(pool, row, event, None)
    pool.requeue(again + unstarted)


def not_begun(pool: PoolState, event: on.NotBegun) -> None:
    """Take in that an executor could not be started."""
    if pool.executors.pop(event.executor, None) is not None:
        _count_barren(pool, event.reason)


def _count_barren(pool: PoolState, reason: str) -> None:
    """After a few such ends in a row, fail what waits: it would wait for ever."""
    pool.barren += 1
    pool.barren_reason = ""
    if pool.barren < BARREN_LIMIT:
        return
    text = f"worker {pool.worker} cannot start a process to run it: {reason}"
    failure = verdicts.failure("worker_lost", text, pool.worker, "worker")
    for lane in pool.lanes.values():
        rows = lane.clear()
        pool.fail(rows, failure)
