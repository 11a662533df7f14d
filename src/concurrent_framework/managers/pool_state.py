"""What a pool of executors knows, and the steps that its decisions are made of. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import verdicts
from concurrent_framework.managers.lanes import CHUNK_SECONDS
from concurrent_framework.managers.pool_executor import LOOK_SECONDS, NEVER
from concurrent_framework.managers.slots import NOTHING, Slots
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.scheduling.rivals import Rivals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.managers.lanes import Lane, SpecRecord
    from concurrent_framework.managers.pool_commands import Command
    from concurrent_framework.managers.pool_executor import ExecutorRecord
    from concurrent_framework.managers.verdicts import Doom
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.model.resources import Capacity, Resources
    from concurrent_framework.protocol.tasks import Assigned

DRAIN_PATIENCE = 10.0
"""Seconds after which an executor that does not notice that its work was withdrawn is given up."""


class PoolState:
    """Executors, waiting tasks, and what is to be done about them.

    Attributes:
        capacity: what may be in use at a time.
        worker: name of the worker, for death certificates.
        grace: seconds that a cancelled task which runs has to end by itself.
        executors: all that have not died, by number; of the idle ones, the longest idle first.
        lanes: waiting tasks, by application and need.
        specs: by number.
        slots: what is in use.
        rivals: the applications that have work.
        cancelled: (key, attempt) of tasks in flights that are to be stopped.
        recall: how many tasks are still wanted back, while `recalling` withdrawals are under way.
        barren: executors that ended in a row without having run anything.
        barren_reason: why the last of them did, if that is known.
        commands: what is to be done, in order.

    """

    def __init__(self, capacity: Capacity, worker: str, grace: float) -> None:
        self.capacity = capacity
        self.worker = worker
        self.grace = grace
        self.executors: dict[int, ExecutorRecord] = {}
        self.lanes: dict[tuple[int, Resources], Lane] = {}
        self.specs: dict[int, SpecRecord] = {}
        self.slots = Slots(capacity)
        self.numbers = 0
        self.arrivals = 0
        self.rivals = Rivals()
        self.cancelled: set[tuple[int, int]] = set()
        self.recall = 0
        self.recalling = 0
        self.barren = 0
        self.barren_reason = ""
        self.commands: list[Command] = []

    def fail(self, rows: Sequence[Assigned], failure: Failure) -> None:
        """Report the same failure for each of these."""
        if rows:
            outcomes = [Outcome(row.key, row.attempt, failure=failure) for row in rows]
            self.commands.append(do.Report(outcomes))

    def timeout(self, row: Assigned) -> float:
        """Return the seconds a task may take, 0 for no limit."""
        spec = self.specs.get(row.spec)
        return spec.spec.timeout if spec else 0.0

    def plan_look(self, one: ExecutorRecord, now: float, *, late: bool = False) -> None:
        """Decide when to look at an executor next.

        `late` says that it should have told something by now. Otherwise it has as long as its tasks
        take together: to look costs a turn.
        """
        timeout = 0.0
        if one.lane is not None and one.lane.timeout and one.flight:
            several = len(one.flight) > 1
            timeout = one.lane.timeout if several else self.timeout(one.flight[0])
        patience = self.usual(one)
        if not late:
            most = timeout / 10 if timeout else 2 * CHUNK_SECONDS
            patience = max(patience, min(self._each(one) * len(one.flight), most))
        one.plan_look(now, timeout, patience)

    def usual(self, one: ExecutorRecord) -> float:
        """Return for how many seconds its running task is not long yet."""
        return max(LOOK_SECONDS, 2.0 * self._each(one))

    def _each(self, one: ExecutorRecord) -> float:
        """Return how long the tasks in its flight take, if one may wait there for another; or 0."""
        if len(one.flight) < 2 or one.lane is None or not one.lane.share.executors:
            return 0.0
        return self.specs[one.flight[0].spec].seconds or 0.0

    def rest(self, one: ExecutorRecord, now: float) -> None:
        """Note that an executor has nothing to do, and that what it occupied is free."""
        lane = one.lane
        if lane is None:
            return
        one.lane = None
        del lane.busy[one.number]
        self.slots.vacate(lane.share, one.gpus)
        one.weigh_at = NEVER
        if not one.dying:
            one.kill_at = now + DRAIN_PATIENCE if one.chunks else NEVER
            # Last in the order: the ones that were idle for longest go first.
            self.executors[one.number] = self.executors.pop(one.number)

    def kill(self, one: ExecutorRecord) -> None:
        """End an executor; what becomes of its tasks is decided when it has died."""
        one.dying = True
        one.look_at = one.weigh_at = one.kill_at = NEVER
        self.commands.append(do.Kill(one.number))

    def withdraw(self, one: ExecutorRecord) -> None:
        """Take back what an executor has not started, and send it nothing before it has noticed."""
        one.held = True
        self.commands.append(do.Withdraw(one.number))

    def condemn(self, one: ExecutorRecord, doom: Doom) -> None:
        """Kill an executor for what its running task did, and spare the tasks behind that.

        A doom that names no task is for whichever runs when nothing behind it can start any more.
        """
        if not one.dying:
            one.doom = doom
            self.withdraw(one)

    def requeue(self, rows: Sequence[Assigned]) -> None:
        """Let tasks wait again that an executor had, but for those that have been cancelled."""
        if self.cancelled:
            wanted = self.cancelled
            cancelled = [row for row in rows if (row.key, row.attempt) in wanted]
            rows = [row for row in rows if (row.key, row.attempt) not in wanted]
            self.report_cancelled(cancelled)
        end = len(rows)
        while end:
            lane = self.specs[rows[end - 1].spec].lane
            begin = end - 1
            while begin and self.specs[rows[begin - 1].spec].lane is lane:
                begin -= 1
            lane.put_back(rows[begin:end], self.specs)
            end = begin

    def report_cancelled(self, rows: Sequence[Assigned]) -> None:
        """Report tasks that were cancelled before they started."""
        self.cancelled.difference_update((row.key, row.attempt) for row in rows)
        text = "it was cancelled before it ran"
        self.fail(rows, verdicts.failure("cancelled", text, self.worker))

    def check_invariants(self) -> None:
        """Raise AssertionError if the state contradicts itself; for tests."""
        used = NOTHING
        seen: set[tuple[int, int]] = set()
        for lane in self.lanes.values():
            lane.check_invariants()
            waiting = {(row.key, row.attempt) for row in lane.queue}
            assert len(waiting) == len(lane.queue)
            assert not waiting & seen
            seen |= waiting
        for one in self.executors.values():
            flight = {(row.key, row.attempt) for row in one.flight}
            assert len(flight) == len(one.flight)
            assert not flight & seen
            seen |= flight
            if one.lane is None:
                assert not one.flight
                continue
            assert one.dying or one.flight
            assert one.lane.busy[one.number] is one
            assert one.lane.application == one.application
            used = used.plus(one.lane.share)
        assert self.slots.used_is(used)
        assert self.cancelled <= seen
