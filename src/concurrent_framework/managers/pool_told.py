"""What executors report: outcomes, and how far they are. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers.pool_executor import NEVER
from concurrent_framework.managers.verdicts import Doom
from concurrent_framework.scheduling.depth import seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.managers import pool_events as on
    from concurrent_framework.managers.pool_executor import ExecutorRecord
    from concurrent_framework.managers.pool_state import PoolState
    from concurrent_framework.protocol.tasks import Assigned, Outcome, TaskCheckpoint


def told(pool: PoolState, event: on.Told, now: float) -> None:
    """Take in outcomes, which come in the order in which the tasks were sent."""
    one = pool.executors.get(event.executor)
    if one is None:
        return
    one.chunks -= event.chunks
    outcomes = event.outcomes
    if outcomes:
        known = _account(pool, one, outcomes)
        if known < len(outcomes):
            running = one.flight[0].key if one.flight else 0
            text = "the process that ran it sent what nobody can understand"
            pool.condemn(one, Doom("worker_lost", running, text))
            outcomes = outcomes[:known]
        _reported(pool, one, outcomes)
    for state in event.checkpoints:
        _keep(one, state)
    one.moved(one.reported + bool(one.flight), now)
    if not one.flight:
        pool.rest(one, now)
    if not one.chunks:
        one.held = False
        if one.lane is None and not one.dying:
            one.kill_at = NEVER
    pool.plan_look(one, now)


def _reported(pool: PoolState, one: ExecutorRecord, outcomes: list[Outcome]) -> None:
    one.reported += len(outcomes)
    pool.barren = 0
    if pool.cancelled:
        pool.cancelled.difference_update((each.key, each.attempt) for each in outcomes)
    if one.cancelling and any(each.key == one.cancelling for each in outcomes):
        one.cancelling = 0
        one.kill_at = NEVER
    if outcomes:
        pool.commands.append(do.Report(outcomes))


def _keep(one: ExecutorRecord, state: TaskCheckpoint) -> None:
    """Let the task go on from there if it has to run again here."""
    for row in one.flight:
        if row.key == state.key and row.attempt == state.attempt:
            row.restored = state.state
            return


def _account(pool: PoolState, one: ExecutorRecord, outcomes: list[Outcome]) -> int:
    """Match outcomes with the flight and learn from their run times; return how many match."""
    flight = one.flight
    rows = [flight.popleft() for _ in range(min(len(outcomes), len(flight)))]
    matched = len(rows)
    if [row.key for row in rows] != [outcome.key for outcome in outcomes]:
        matched = _matching(rows, outcomes)
        flight.extendleft(reversed(rows[matched:]))
    if len({row.spec for row in rows}) == 1 and matched == len(rows):
        _measured(pool, rows[0].spec, outcomes[:matched])
    else:
        for row, outcome in zip(rows[:matched], outcomes, strict=False):
            _measured(pool, row.spec, [outcome])
    return matched


def _matching(rows: Sequence[Assigned], outcomes: Sequence[Outcome]) -> int:
    for count, (row, outcome) in enumerate(zip(rows, outcomes, strict=False)):
        if row.key != outcome.key:
            return count
    return min(len(rows), len(outcomes))


def _measured(pool: PoolState, number: int, outcomes: Sequence[Outcome]) -> None:
    spec = pool.specs.get(number)
    if spec is not None:
        known = spec.seconds
        spec.measured(len(outcomes), sum([seconds_of(one, known) for one in outcomes]))
