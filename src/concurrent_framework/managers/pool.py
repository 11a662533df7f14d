"""A worker's executors: which task goes where, and what came of it. PURE.

Every task that is submitted is either waiting in a lane or in the flight of exactly one executor,
until it is reported or given back. An executor works for one application in its life, and for one
lane at a time: as long as its flight is not empty it occupies what that lane's tasks need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import pool_events as on
from concurrent_framework.managers import verdicts
from concurrent_framework.managers.lanes import LONG_SECONDS, Lane, SpecRecord
from concurrent_framework.managers.pool_executor import (
    LATER_SECONDS,
    LOOK_SECONDS,
    NEVER,
    WEIGH_SECONDS,
    ExecutorRecord,
)
from concurrent_framework.managers.slots import NOTHING, Slots
from concurrent_framework.managers.verdicts import Doom
from concurrent_framework.model.ids import application_of, application_of_spec
from concurrent_framework.protocol.tasks import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.managers.pool_commands import Command
    from concurrent_framework.managers.pool_events import Event
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.model.resources import Capacity, Resources
    from concurrent_framework.protocol.tasks import Assigned

START_PATIENCE = 60.0
"""Seconds after which an executor that has not come is given up."""
DRAIN_PATIENCE = 10.0
"""Seconds after which one that does not notice that its work was withdrawn is given up."""
NUDGE_SECONDS = 0.1
BARREN_LIMIT = 3
"""Executors that may end in a row without having started a task."""


class Pool:
    """Decides everything about a worker's executors.

    Args:
        capacity: what may be in use at a time.
        worker: name of the worker, for death certificates.
        cancel_grace: seconds that a cancelled task which runs has to end by itself.

    """

    def __init__(self, capacity: Capacity, worker: str, cancel_grace: float) -> None:
        self.capacity = capacity
        self.executors: dict[int, ExecutorRecord] = {}
        self.lanes: dict[tuple[int, Resources], Lane] = {}
        self.specs: dict[int, SpecRecord] = {}
        self._slots = Slots(capacity)
        self._worker = worker
        self._grace = cancel_grace
        self._numbers = 0
        self._arrivals = 0
        self._barren = 0
        self._barren_reason = ""
        self._cancelled: set[tuple[int, int]] = set()
        self._recall = 0
        self._recalling = 0
        self._commands: list[Command] = []

    def handle(self, events: Iterable[Event], now: float) -> list[Command]:
        """Take in a round of events and return what is to be done, in order."""
        for event in events:
            self._handle(event, now)
        self._dispatch(now)
        commands, self._commands = self._commands, []
        return commands

    def deadline(self) -> float | None:
        """Return when `Tick` is due if nothing else happens; None if never."""
        due = min((one.due() for one in self.executors.values()), default=NEVER)
        return None if due == NEVER else due

    def running(self, executor: int, unstarted: int) -> int:
        """Return the key of the task an executor runs, given how many it has not started; or 0."""
        one = self.executors.get(executor)
        started = len(one.flight) - unstarted if one else 0
        return one.flight[started - 1].key if one and started > 0 else 0

    def _handle(self, event: Event, now: float) -> None:  # noqa: C901 (one case per event)
        match event:
            case on.Told():
                self._told(event, now)
            case on.Submitted():
                self._submit(event.tasks)
            case on.Withdrawn():
                self._withdrawn(event, now)
            case on.Counted():
                self._counted(event, now)
            case on.Weighed():
                self._weighed(event, now)
            case on.Came():
                self._came(event, now)
            case on.Died():
                self._died(event)
            case on.NotBegun():
                self._not_begun(event)
            case on.Learned():
                self._learn(event)
            case on.RecallWanted():
                self._recall_from_lanes(event.limit)
            case on.CancelWanted():
                self._cancel(event.tasks)
            case on.Forgotten():
                self._forget(event.application)
            case on.Tick():
                self._tick(now)

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
        assert self._slots.used_is(used)
        assert self._cancelled <= seen

    # Tasks that come and go

    def _learn(self, event: on.Learned) -> None:
        for entry in event.specs:
            application = application_of_spec(entry.number)
            need = entry.spec.resources
            lane = self.lanes.get((application, need))
            if lane is None:
                share = self._slots.share_of(need)
                lane = Lane(application, share, runnable=self.capacity.can_run(need))
                self.lanes[application, need] = lane
            limit = entry.spec.timeout
            lane.timeout = (
                min(lane.timeout, limit) if lane.timeout and limit else limit or lane.timeout
            )
            self.specs[entry.number] = SpecRecord(entry.spec, lane)

    def _submit(self, tasks: Sequence[Assigned]) -> None:
        self._arrivals += 1
        counts: dict[int, tuple[Lane, int]] = {}
        number = -1
        lane: Lane | None = None
        for row in tasks:
            if row.spec != number:
                number = row.spec
                spec = self.specs.get(number)
                lane = spec.lane if spec is not None and spec.lane.runnable else None
                if lane is not None and id(lane) not in counts:
                    counts[id(lane)] = (lane, len(lane.queue))
            if lane is None:
                self._refuse(row)
            else:
                lane.queue.append(row)
        for touched, before in counts.values():
            touched.arrived(len(touched.queue) - before, self._arrivals)

    def _refuse(self, row: Assigned) -> None:
        if row.spec in self.specs:
            text = f"worker {self._worker} has not got what the task needs: {self.capacity}"
        else:
            text = f"worker {self._worker} was not told what kind of task this is"
        self._fail([row], verdicts.failure("worker_lost", text, self._worker, "worker"))

    def _fail(self, rows: Sequence[Assigned], failure: Failure) -> None:
        if rows:
            outcomes = [Outcome(row.key, row.attempt, failure=failure) for row in rows]
            self._commands.append(do.Report(outcomes))

    def _told(self, event: on.Told, now: float) -> None:
        one = self.executors.get(event.executor)
        if one is None:
            return
        one.chunks -= event.chunks
        outcomes = event.outcomes
        if outcomes:
            known = self._account(one, outcomes)
            if known < len(outcomes):
                running = one.flight[0].key if one.flight else 0
                text = "the process that ran it sent what nobody can understand"
                self._condemn(one, Doom("worker_lost", running, text))
                outcomes = outcomes[:known]
            self._reported(one, outcomes)
        one.moved(one.reported + bool(one.flight), now)
        if not one.flight:
            self._rest(one, now)
        if not one.chunks:
            one.held = False
            if one.lane is None and not one.dying:
                one.kill_at = NEVER
        self._plan_look(one, now)

    def _reported(self, one: ExecutorRecord, outcomes: list[Outcome]) -> None:
        one.reported += len(outcomes)
        self._barren = 0
        if self._cancelled:
            self._cancelled.difference_update((each.key, each.attempt) for each in outcomes)
        if one.cancelling and any(each.key == one.cancelling for each in outcomes):
            one.cancelling = 0
            one.kill_at = NEVER
        if outcomes:
            self._commands.append(do.Report(outcomes))

    def _account(self, one: ExecutorRecord, outcomes: list[Outcome]) -> int:
        """Match outcomes with the flight and learn from their run times; return how many match."""
        flight = one.flight
        number, count, total = -1, 0, 0.0
        matched = 0
        for outcome in outcomes:
            if not flight or flight[0].key != outcome.key:
                break
            row = flight.popleft()
            matched += 1
            if row.spec != number:
                if count:
                    self._measured(number, count, total)
                number, count, total = row.spec, 0, 0.0
            count += 1
            total += outcome.seconds
        if count:
            self._measured(number, count, total)
        return matched

    def _measured(self, number: int, count: int, total: float) -> None:
        if number in self.specs:
            self.specs[number].measured(count, total)

    # Sending

    def _dispatch(self, now: float) -> None:
        lanes = [lane for lane in self.lanes.values() if lane.queue]
        if len(lanes) > 1:
            lanes.sort(key=lambda lane: lane.oldest)
        wanted = 0
        for lane in lanes:
            while lane.queue and self._slots.fits(lane.share):
                one = self._idle_for(lane)
                if one is None:
                    break
                self._employ(one, lane, now)
            self._refill(lane, now)
            if lane.queue:
                wanted += self._speak_for(lane)
        if lanes:
            self._slots.release_reserved()
        self._begin(wanted, now)

    def _refill(self, lane: Lane, now: float) -> None:
        for one in lane.busy.values():
            if not lane.queue:
                return
            if one.held or one.dying or one.doom or len(one.flight) > one.last_chunk:
                continue
            seconds = self.specs[lane.queue[0].spec].seconds
            if seconds is not None and seconds < LONG_SECONDS and self._slots.may_keep(lane.share):
                self._send(one, lane, now)

    def _idle_for(self, lane: Lane) -> ExecutorRecord | None:
        """Return an executor that may run this lane's tasks now, bound to its application."""
        fresh = None
        for one in self.executors.values():
            if not one.idle:
                continue
            if one.application == lane.application and self._slots.has_gpus(lane.share, one.gpus):
                return one
            if not one.application and fresh is None:
                fresh = one
        gpus = self._slots.choose_gpus(lane.share)
        if fresh is None or gpus is None:
            return None
        fresh.application = lane.application
        fresh.gpus = gpus
        self._commands.append(do.Bind(fresh.number, lane.application, gpus))
        return fresh

    def _employ(self, one: ExecutorRecord, lane: Lane, now: float) -> None:
        self._slots.occupy(lane.share, one.gpus)
        one.lane = lane
        lane.busy[one.number] = one
        # It counts as started now: what it takes to start is microseconds.
        one.position = one.reported + 1
        one.since = now
        one.long = False
        if lane.share.memory:
            one.weigh_at = now + WEIGH_SECONDS
        self._send(one, lane, now)

    def _send(self, one: ExecutorRecord, lane: Lane, now: float) -> None:
        rows = lane.take(self.specs, self.capacity.executors)
        one.flight.extend(rows)
        one.chunks += 1
        one.last_chunk = len(rows)
        self._commands.append(do.Send(one.number, rows))
        self._plan_look(one, now)

    def _speak_for(self, lane: Lane) -> int:
        """Reserve room for a lane that waits; return how many more executors it could use now."""
        wanted = 0
        while wanted < len(lane.queue) and self._slots.fits(lane.share):
            crowded = len(lane.busy) + wanted >= self.capacity.executors
            if crowded and not any(one.long for one in lane.busy.values()):
                break
            self._slots.reserve(lane.share)
            wanted += 1
        if not wanted and not lane.busy:
            self._slots.reserve(lane.share)
        return wanted

    def _begin(self, wanted: int, now: float) -> None:
        living = [one for one in self.executors.values() if not one.dying]
        missing = wanted - sum(not one.came for one in living)
        if not self._barren:
            missing = max(missing, self.capacity.executors - len(living))
        for _ in range(missing):
            if len(living) >= 2 * self.capacity.executors:
                spare = next((one for one in living if one.idle), None)
                if spare is not None:
                    living.remove(spare)
                    self._kill(spare)
            self._numbers += 1
            one = ExecutorRecord(self._numbers, now, START_PATIENCE)
            self.executors[one.number] = one
            living.append(one)
            self._commands.append(do.Begin(one.number))

    def _rest(self, one: ExecutorRecord, now: float) -> None:
        """Note that an executor has nothing to do, and what it occupied is free."""
        lane = one.lane
        if lane is None:
            return
        one.lane = None
        del lane.busy[one.number]
        self._slots.vacate(lane.share, one.gpus)
        one.weigh_at = NEVER
        if not one.dying:
            one.kill_at = now + DRAIN_PATIENCE if one.chunks else NEVER
            # Last in the order: the ones that were idle for longest go first.
            self.executors[one.number] = self.executors.pop(one.number)

    # Looking after those that run

    def _plan_look(self, one: ExecutorRecord, now: float) -> None:
        timeout = 0.0
        if one.lane is not None and one.lane.timeout and one.flight:
            several = len(one.flight) > 1
            timeout = one.lane.timeout if several else self._timeout(one.flight[0])
        one.plan_look(now, timeout)

    def _timeout(self, row: Assigned) -> float:
        spec = self.specs.get(row.spec)
        return spec.spec.timeout if spec else 0.0

    def _tick(self, now: float) -> None:
        for one in list(self.executors.values()):
            if one.kill_at <= now:
                self._give_up(one)
            if one.look_at <= now and not one.dying:
                one.look_at = now + LATER_SECONDS
                self._commands.append(do.Look(one.number))
            if one.weigh_at <= now and not one.dying:
                one.weigh_at = now + WEIGH_SECONDS
                self._commands.append(do.Weigh(one.number))

    def _counted(self, event: on.Counted, now: float) -> None:
        one = self.executors.get(event.executor)
        if one is None or one.dying:
            return
        started = len(one.flight) - event.unstarted
        still = not one.moved(one.reported + started, now)
        if still and now - one.since >= LOOK_SECONDS:
            one.long = True
        if (started > 1 or event.output) and now - one.nudged >= NUDGE_SECONDS:
            one.nudged = now
            self._commands.append(do.Nudge(one.number))
        if started > 0:
            row = one.flight[started - 1]
            limit = self._timeout(row)
            if limit and now - one.since >= limit:
                text = f"it ran longer than its timeout of {limit:g} s"
                self._condemn(one, Doom("timeout", row.key, text))
                return
        if one.long and event.unstarted and not one.held:
            self._withdraw(one)
        self._plan_look(one, now)

    def _weighed(self, event: on.Weighed, now: float) -> None:
        one = self.executors.get(event.executor)
        if one is None or one.dying or one.lane is None or not one.flight:
            return
        limit = one.lane.share.memory
        if event.memory <= limit:
            return
        used, allowed = verdicts.mebibytes(event.memory), verdicts.mebibytes(limit)
        text = f"it used {used} of memory, more than the {allowed} it asked for"
        self._condemn(one, Doom("resource_exceeded", 0, text))
        one.weigh_at = now + WEIGH_SECONDS

    def _condemn(self, one: ExecutorRecord, doom: Doom) -> None:
        """Kill an executor for what its running task did, and spare the tasks behind that.

        A doom that names no task is for whichever runs when nothing behind it can start any more.
        """
        if not one.dying:
            one.doom = doom
            self._withdraw(one)

    def _withdraw(self, one: ExecutorRecord) -> None:
        one.held = True
        self._commands.append(do.Withdraw(one.number))

    def _withdrawn(self, event: on.Withdrawn, now: float) -> None:
        one = self.executors.get(event.executor)
        if one is None:
            return
        rows = [one.flight.pop() for _ in range(event.unstarted)][::-1]
        if self._recalling:
            self._recalling -= 1
            rows = self._recall_from(rows)
            if not self._recalling:
                self._recall = 0
        self._requeue(rows)
        running = one.flight[-1] if one.flight else None
        if running is not None:
            one.moved(one.reported + len(one.flight), now)
        doom = one.doom
        if doom is not None:
            if running is not None and doom.key in (0, running.key):
                one.doom = doom._replace(key=running.key)
                self._kill(one)
                return
            one.doom = None
        if running is None:
            self._rest(one, now)
        elif self._cancelled and (running.key, running.attempt) in self._cancelled:
            self._ask_to_stop(one, running, now)
        self._plan_look(one, now)

    def _ask_to_stop(self, one: ExecutorRecord, running: Assigned, now: float) -> None:
        if one.cancelling != running.key:
            one.cancelling = running.key
            one.kill_at = now + self._grace
            self._commands.append(do.AskToStop(one.number, running.key, running.attempt))

    def _requeue(self, rows: Sequence[Assigned]) -> None:
        """Let tasks wait again that an executor had, but for those that have been cancelled."""
        if self._cancelled:
            cancelled = [row for row in rows if (row.key, row.attempt) in self._cancelled]
            if cancelled:
                rows = [row for row in rows if (row.key, row.attempt) not in self._cancelled]
                self._report_cancelled(cancelled)
        end = len(rows)
        while end:
            lane = self.specs[rows[end - 1].spec].lane
            begin = end - 1
            while begin and self.specs[rows[begin - 1].spec].lane is lane:
                begin -= 1
            lane.put_back(rows[begin:end])
            end = begin

    # Stopping

    def _recall_from_lanes(self, limit: int) -> None:
        back: list[tuple[int, int]] = []
        waiting = [lane for lane in self.lanes.values() if lane.queue]
        while waiting and len(back) < limit:
            lane = max(waiting, key=lambda lane: lane.newest)
            row = lane.drop_last()
            back.append((row.key, row.attempt))
            if not lane.queue:
                waiting.remove(lane)
        self._commands.append(do.GiveBack(back))
        left = limit - len(back)
        self._recall = left
        busy = [one for one in self.executors.values() if len(one.flight) > 1 and not one.held]
        busy.sort(key=lambda one: len(one.flight))
        while left > 0 and busy:
            one = busy.pop()
            left -= len(one.flight) - 1
            self._recalling += 1
            self._withdraw(one)

    def _recall_from(self, rows: list[Assigned]) -> list[Assigned]:
        """Give back the last of these, as many as are wanted; return the others."""
        keep = max(0, len(rows) - self._recall)
        back = [
            (row.key, row.attempt)
            for row in rows[keep:]
            if (row.key, row.attempt) not in self._cancelled
        ]
        others = [row for row in rows[keep:] if (row.key, row.attempt) in self._cancelled]
        self._recall -= len(back)
        self._commands.append(do.GiveBack(back))
        return rows[:keep] + others

    def _cancel(self, tasks: Sequence[tuple[int, int]]) -> None:
        wanted = set(tasks)
        for lane in self.lanes.values():
            if lane.queue:
                removed = lane.remove(wanted)
                self._report_cancelled(removed)
        for one in self.executors.values():
            held = {(row.key, row.attempt) for row in one.flight} & wanted
            if held and not one.dying:
                self._cancelled |= held
                self._withdraw(one)

    def _report_cancelled(self, rows: Sequence[Assigned]) -> None:
        self._cancelled.difference_update((row.key, row.attempt) for row in rows)
        text = "it was cancelled before it ran"
        self._fail(rows, verdicts.failure("cancelled", text, self._worker))

    def _forget(self, application: int) -> None:
        self.lanes = {key: lane for key, lane in self.lanes.items() if key[0] != application}
        self.specs = {
            number: spec
            for number, spec in self.specs.items()
            if application_of_spec(number) != application
        }
        self._cancelled = {one for one in self._cancelled if application_of(one[0]) != application}
        for one in self.executors.values():
            if one.application == application and not one.dying:
                one.flight.clear()
                self._kill(one)

    def _give_up(self, one: ExecutorRecord) -> None:
        """Kill an executor whose time is up: it does not come, not drain, or not stop."""
        if one.dying:
            return
        if one.cancelling and one.flight and one.flight[-1].key == one.cancelling:
            text = f"it was cancelled and did not end within {self._grace:g} s"
            one.doom = Doom("cancelled", one.cancelling, text)
        elif not one.came:
            self._barren_reason = f"it was not ready after {START_PATIENCE:g} s"
        self._kill(one)

    def _kill(self, one: ExecutorRecord) -> None:
        one.dying = True
        one.look_at = one.weigh_at = one.kill_at = NEVER
        self._commands.append(do.Kill(one.number))

    # Coming and going of executors

    def _came(self, event: on.Came, now: float) -> None:
        one = self.executors.get(event.executor)
        if one is not None:
            one.came = True
            one.since = now
            one.kill_at = NEVER

    def _died(self, event: on.Died) -> None:
        one = self.executors.pop(event.executor, None)
        if one is None:
            return
        rows = list(one.flight)
        started = len(rows) - event.unstarted
        one.flight.clear()
        if one.lane is not None:
            del one.lane.busy[one.number]
            self._slots.vacate(one.lane.share, one.gpus)
        if started > 0:
            self._barren = 0
            self._blame(rows[started - 1], event, one.doom)
        self._spare(rows[: max(0, started - 1)], rows[max(0, started) :], event)
        if not one.reported and started <= 0 and (not one.dying or not one.came):
            reason = self._barren_reason or (
                f"it ended at once, with exit code {event.exit_code}, signal {event.signal}"
            )
            self._count_barren(f"{reason}; {event.stderr}" if event.stderr else reason)

    def _blame(self, row: Assigned, event: on.Died, doom: Doom | None) -> None:
        """Report the task that ran when its executor died."""
        self._cancelled.discard((row.key, row.attempt))
        mine = doom if doom is not None and doom.key == row.key else None
        self._fail([row], verdicts.death(event, mine, self._worker))

    def _spare(self, unreported: list[Assigned], unstarted: list[Assigned], event: on.Died) -> None:
        """Run elsewhere what an executor that died had not started, or not told the end of."""
        again: list[Assigned] = []
        for row in unreported:
            spec = self.specs.get(row.spec)
            if spec is not None and spec.spec.idempotent:
                again.append(row)
            else:
                self._blame(row, event, None)
        self._requeue(again + unstarted)

    def _not_begun(self, event: on.NotBegun) -> None:
        if self.executors.pop(event.executor, None) is not None:
            self._count_barren(event.reason)

    def _count_barren(self, reason: str) -> None:
        self._barren += 1
        self._barren_reason = ""
        if self._barren < BARREN_LIMIT:
            return
        text = f"worker {self._worker} cannot start a process to run it: {reason}"
        failure = verdicts.failure("worker_lost", text, self._worker, "worker")
        for lane in self.lanes.values():
            rows = lane.clear()
            self._fail(rows, failure)
