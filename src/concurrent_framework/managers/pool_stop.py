"""Taking tasks back: recalled, cancelled, forgotten, or spared the end of their executor. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.model.ids import application_of, application_of_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.managers import pool_events as on
    from concurrent_framework.managers.pool_executor import ExecutorRecord
    from concurrent_framework.managers.pool_state import PoolState
    from concurrent_framework.protocol.tasks import Assigned


def withdrawn(pool: PoolState, event: on.Withdrawn, now: float) -> None:
    """Take in what an executor will not start; what it runs now is the last that it has."""
    one = pool.executors.get(event.executor)
    if one is None:
        return
    count = min(event.unstarted, len(one.flight))
    rows = [one.flight.pop() for _ in range(count)][::-1]
    if pool.recalling:
        pool.recalling -= 1
        rows = _recall_from(pool, rows)
        if not pool.recalling:
            pool.recall = 0
    pool.requeue(rows)
    running = one.flight[-1] if one.flight else None
    if running is not None:
        one.moved(one.reported + len(one.flight), now)
    doom = one.doom
    if doom is not None:
        if running is not None and doom.key in (0, running.key):
            one.doom = doom._replace(key=running.key)
            pool.kill(one)
            return
        one.doom = None
    if running is None:
        pool.rest(one, now)
    elif pool.cancelled and (running.key, running.attempt) in pool.cancelled:
        _ask_to_stop(pool, one, running, now)
    pool.plan_look(one, now)


def _ask_to_stop(pool: PoolState, one: ExecutorRecord, running: Assigned, now: float) -> None:
    if one.cancelling != running.key:
        one.cancelling = running.key
        one.kill_at = now + pool.grace
        pool.commands.append(do.AskToStop(one.number, running.key, running.attempt))


def recall(pool: PoolState, limit: int) -> None:
    """Give back tasks that have not started: first those that wait, the newest first."""
    back: list[tuple[int, int]] = []
    waiting = [lane for lane in pool.lanes.values() if lane.queue]
    while waiting and len(back) < limit:
        lane = max(waiting, key=lambda lane: lane.newest)
        row = lane.drop_last()
        back.append((row.key, row.attempt))
        if not lane.queue:
            waiting.remove(lane)
    pool.commands.append(do.GiveBack(back))
    left = limit - len(back)
    pool.recall = left
    busy = [one for one in pool.executors.values() if len(one.flight) > 1 and not one.held]
    busy.sort(key=lambda one: len(one.flight))
    while left > 0 and busy:
        one = busy.pop()
        left -= len(one.flight) - 1
        pool.recalling += 1
        pool.withdraw(one)


def _recall_from(pool: PoolState, rows: list[Assigned]) -> list[Assigned]:
    """Give back the last of these, as many as are wanted; return the others."""
    keep = max(0, len(rows) - pool.recall)
    back = [
        (row.key, row.attempt)
        for row in rows[keep:]
        if (row.key, row.attempt) not in pool.cancelled
    ]
    others = [row for row in rows[keep:] if (row.key, row.attempt) in pool.cancelled]
    pool.recall -= len(back)
    pool.commands.append(do.GiveBack(back))
    return rows[:keep] + others


def cancel(pool: PoolState, tasks: Sequence[tuple[int, int]]) -> None:
    """Stop these tasks, wherever they are."""
    wanted = set(tasks)
    for lane in pool.lanes.values():
        if lane.queue:
            removed = lane.remove(wanted)
            pool.report_cancelled(removed)
    for one in pool.executors.values():
        held = {(row.key, row.attempt) for row in one.flight} & wanted
        if held and not one.dying:
            pool.cancelled |= held
            pool.withdraw(one)


def forget(pool: PoolState, application: int) -> None:
    """Drop everything of an application, unreported."""
    pool.lanes = {key: lane for key, lane in pool.lanes.items() if key[0] != application}
    pool.specs = {
        number: spec
        for number, spec in pool.specs.items()
        if application_of_spec(number) != application
    }
    pool.cancelled = {one for one in pool.cancelled if application_of(one[0]) != application}
    for one in pool.executors.values():
        if one.application == application and not one.dying:
            one.flight.clear()
            pool.kill(one)
