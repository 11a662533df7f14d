"""A worker's executors: which task goes where, and what came of it. PURE.

Every task that is submitted is either waiting in a lane or in the flight of exactly one executor,
until it is reported or given back. An executor works for one application in its life, and for one
lane at a time: as long as its flight is not empty it occupies what that lane's tasks need.

What can happen is in `pool_events`, what the pool can ask for in `pool_commands`, the state in
`pool_state`, and the decisions in `pool_dispatch` (sending), `pool_told` (outcomes), `pool_watch`
(long tasks, timeouts, memory), `pool_stop` (recall, cancel, forget) and `pool_ends` (deaths).
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_events as on
from concurrent_framework.managers import verdicts
from concurrent_framework.managers.lanes import Lane, SpecRecord
from concurrent_framework.managers.pool_dispatch import dispatch
from concurrent_framework.managers.pool_ends import came, died, not_begun
from concurrent_framework.managers.pool_executor import NEVER
from concurrent_framework.managers.pool_state import PoolState
from concurrent_framework.managers.pool_stop import cancel, forget, recall, withdrawn
from concurrent_framework.managers.pool_told import told
from concurrent_framework.managers.pool_watch import counted, tick, weighed
from concurrent_framework.model.ids import application_of_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.managers.pool_commands import Command
    from concurrent_framework.managers.pool_events import Event
    from concurrent_framework.model.resources import Capacity
    from concurrent_framework.protocol.tasks import Assigned


class Pool:
    """Decides everything about a worker's executors.

    Args:
        capacity: what may be in use at a time.
        worker: name of the worker, for death certificates.
        cancel_grace: seconds that a cancelled task which runs has to end by itself.

    """

    def __init__(self, capacity: Capacity, worker: str, cancel_grace: float) -> None:
        self.state = PoolState(capacity, worker, cancel_grace)

    def handle(self, events: Iterable[Event], now: float) -> list[Command]:
        """Take in a round of events and return what is to be done, in order."""
        state = self.state
        for event in events:
            _handle(state, event, now)
        dispatch(state, now)
        commands, state.commands = state.commands, []
        return commands

    def deadline(self) -> float | None:
        """Return when `Tick` is due if nothing else happens; None if never."""
        due = min((one.due() for one in self.state.executors.values()), default=NEVER)
        return None if due == NEVER else due

    def running(self, executor: int, unstarted: int) -> int:
        """Return the key of the task an executor runs, given how many it has not started; or 0."""
        one = self.state.executors.get(executor)
        started = len(one.flight) - unstarted if one else 0
        return one.flight[started - 1].key if one and started > 0 else 0


def _handle(state: PoolState, event: Event, now: float) -> None:  # noqa: C901 (a case per event)
    match event:
        case on.Told():
            told(state, event, now)
        case on.Submitted():
            _submit(state, event.tasks, now)
        case on.Withdrawn():
            withdrawn(state, event, now)
        case on.Counted():
            counted(state, event, now)
        case on.Weighed():
            weighed(state, event, now)
        case on.Came():
            came(state, event, now)
        case on.Died():
            died(state, event)
        case on.NotBegun():
            not_begun(state, event)
        case on.Learned():
            _learn(state, event)
        case on.RecallWanted():
            recall(state, event.limit)
        case on.CancelWanted():
            cancel(state, event.tasks)
        case on.Forgotten():
            forget(state, event.application)
        case on.Tick():
            tick(state, now)


def _learn(pool: PoolState, event: on.Learned) -> None:
    for entry in event.specs:
        application = application_of_spec(entry.number)
        need = entry.spec.resources
        lane = pool.lanes.get((application, need))
        if lane is None:
            share = pool.slots.share_of(need)
            lane = Lane(application, share, runnable=pool.capacity.can_run(need))
            pool.lanes[application, need] = lane
        limit = entry.spec.timeout
        lane.timeout = min(lane.timeout, limit) if lane.timeout and limit else limit or lane.timeout
        pool.specs[entry.number] = SpecRecord(entry.spec, lane)


def _submit(state: PoolState, tasks: Sequence[Assigned], now: float) -> None:
    state.arrivals += 1
    if len({row.spec for row in tasks}) == 1:
        _queue(state, tasks, now)
        return
    for _, rows in groupby(tasks, key=attrgetter("spec")):
        _queue(state, list(rows), now)


def _queue(state: PoolState, rows: Sequence[Assigned], now: float) -> None:
    """Let tasks of one spec wait."""
    spec = state.specs.get(rows[0].spec)
    if spec is None or not spec.lane.runnable:
        for row in rows:
            _refuse(state, row)
        return
    state.rivals.saw(spec.lane.application, now)
    spec.lane.queue.extend(rows)
    spec.lane.arrived(len(rows), state.arrivals)


def _refuse(pool: PoolState, row: Assigned) -> None:
    if row.spec in pool.specs:
        text = f"worker {pool.worker} has not got what the task needs: {pool.capacity}"
    else:
        text = f"worker {pool.worker} was not told what kind of task this is"
    pool.fail([row], verdicts.failure("worker_lost", text, pool.worker, "worker"))
