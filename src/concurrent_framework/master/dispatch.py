"""Handing ready tasks to workers, and calling back what idle workers could do instead. PURE."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from concurrent_framework.master import lifecycle, standing
from concurrent_framework.model.ids import ATTEMPT_MASK, SPEC_BITS, application_of
from concurrent_framework.protocol.tasks import Assigned, SpecEntry
from concurrent_framework.protocol.worker import Provide, Recall, Run
from concurrent_framework.scheduling.base import Request, WorkerView
from concurrent_framework.scheduling.depth import DEPTH_SECONDS, SHARED_DEPTH_SECONDS
from concurrent_framework.scheduling.queue import GroupKey
from concurrent_framework.scheduling.rivals import Rivals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.journal import Journal
    from concurrent_framework.master.outbox import Outbox
    from concurrent_framework.master.state import (
        MasterState,
        SpecRecord,
        TaskRecord,
        WorkerRecord,
    )
    from concurrent_framework.model.resources import Resources
    from concurrent_framework.scheduling.base import ITaskScheduler
    from concurrent_framework.scheduling.queue import Group

FAIR_SECONDS = 0.005
"""Run time handed out at a time, for each worker with room, while several applications compete."""
UNKNOWN_SECONDS = 0.001
"""Run time that fairness assumes for tasks that have not been measured."""
RECALL_SECONDS = 0.005
"""A worker with more unstarted work than this, per executor, gives some back to idle ones."""
SILENCE_SECONDS = 0.020
"""So does one that holds unstarted work and has reported nothing for this long."""
CANDIDATES = 64
"""Workers with room that a scheduler is shown at a time, in turn: to look at more costs more than it gains."""
RECALL_INTERVAL = 0.010
"""Seconds between looks at busy workers while others are idle."""
LOOK_SECONDS = 20e-6
"""Time per worker between two looks for what idle ones could do, so that looking takes a small share of it."""


def group_key(record: TaskRecord) -> GroupKey:
    """Return the group of ready tasks that a task belongs to."""
    spec = record.spec
    return GroupKey(
        spec.priority,
        application_of(record.key),
        spec.number,
        record.losses > 0,
        record.failures > 0,
    )


def enqueue(state: MasterState, records: Iterable[TaskRecord], *, front: bool = False) -> None:
    """Put waiting tasks into the queue."""
    groups: dict[tuple[SpecRecord, bool, bool], list[TaskRecord]] = {}
    for record in records:
        kind = (record.spec, record.losses > 0, record.failures > 0)
        groups.setdefault(kind, []).append(record)
    for (spec, _, _), members in groups.items():
        state.queue.add(group_key(members[0]), spec.spec.resources, members, front=front)


class Dispatcher:
    """Runs the scheduling rounds."""

    def __init__(
        self, state: MasterState, scheduler: ITaskScheduler, outbox: Outbox, journal: Journal
    ) -> None:
        self._state = state
        self._journal = journal
        self._scheduler = scheduler
        self._outbox = outbox
        self._turn = 0
        self._usage: dict[int, tuple[float, float, float, float]] = {}
        """What the present round knows of `WorkerRecord.usage`; a worker that is given more drops out."""
        self._next_look = 0.0
        self._rivals = Rivals()
        """The applications that have work, and its priorities."""

    def round(self, now: float) -> None:
        """Place ready tasks until there are none, or no worker has room for any of them."""
        queue = self._state.queue
        if not queue.live or self._state.awaited:
            return
        present = [one for one in self._state.workers.values() if one.peer is not None]
        workers = [one for one in present if standing.takes_work(one, now)]
        if not workers:
            # Those that failed are better than none, with one task at a time.
            workers = [one for one in present if not one.standing.draining]
        turns = queue.turns()
        self._usage.clear()
        while workers and (group := turns.next()) is not None:
            self._rivals.saw((group.key.application, group.key.priority), now)
            seconds = group.records[0].spec.seconds
            again = group.key.suspect or group.key.retried
            able = self._willing(group, workers, now) if again else workers
            views = self._views(group, seconds, able, now)
            if not views or not self._place(group, seconds, views, now):
                turns.block(group)

    def _willing(self, group: Group, workers: list[WorkerRecord], now: float) -> list[WorkerRecord]:
        """Return the workers for a task that has failed before; see `standing.avoids`."""
        group.arrival()  # brings a task to the front that is still waiting
        record, epoch = group.records[0], self._state.settings.epoch
        able = [worker for worker in workers if worker.capacity.can_run(group.need)]
        return [one for one in able if not standing.avoids(record, one, now, epoch)] or able

    def _views(
        self, group: Group, seconds: float | None, workers: list[WorkerRecord], now: float
    ) -> list[WorkerView]:
        depth = SHARED_DEPTH_SECONDS if self._rivals.compete(now) else DEPTH_SECONDS
        need, suspect = group.need, group.key.suspect
        spec = group.records[0].spec
        shares = spec.shares
        enough = len(workers)
        if enough > CANDIDATES and not shares and self._scheduler.pattern == "push":
            start = self._turn * CANDIDATES % enough
            workers, enough = workers[start:] + workers[:start], CANDIDATES
        views: list[WorkerView] = []
        idle = False
        for worker in workers:
            if len(views) == enough:
                break
            capacity, trial = worker.capacity, worker.standing.quarantined
            if not capacity.can_run(need) or (suspect and (trial or worker.suspects)):
                continue
            if trial and worker.tasks:
                continue
            number, executors = worker.number, capacity.executors
            usage = self._usage.get(number)
            if usage is None:
                usage = self._usage[number] = worker.usage()
            occupied, load, lengthy, crowd = usage
            deep = depth
            if worker.standing.streak or not spec.spec.idempotent:
                # Nothing is put at risk by waiting that must not be, or where something just failed.
                lengthy, deep = executors, SHARED_DEPTH_SECONDS
            speed, asked = worker.speed, worker.asked
            holds = self._held(worker, shares) if shares else 0
            view = WorkerView(
                number, 0, executors, occupied, load, speed, asked, holds, lengthy, crowd, deep
            )
            share = worker.share(need)
            room = self._scheduler.room(share, seconds, view, worker.credit)
            if room > 0:
                room = 1 if suspect or trial else room
                views.append(view._replace(room=room))
                idle |= occupied + share <= executors
        return self._without_waiting(views, need, seconds) if idle and len(views) > 1 else views

    def _without_waiting(
        self, views: list[WorkerView], need: Resources, seconds: float | None
    ) -> list[WorkerView]:
        """Leave out the places where a task would wait while another worker's executor is idle."""
        found = []
        for view in views:
            worker = self._state.workers[view.number]
            strict = view._replace(lengthy=float(view.executors), depth=SHARED_DEPTH_SECONDS)
            room = self._scheduler.room(worker.share(need), seconds, strict, worker.credit)
            if room > 0:
                found.append(strict._replace(room=min(room, view.room)))
        return found

    def _held(self, worker: WorkerRecord, shares: tuple[str, ...]) -> int:
        """Return how many bytes of these shared objects a worker has."""
        codes = self._state.codes
        return sum(
            len(codes[digest].data)
            for digest in shares
            if digest in worker.digests and digest in codes
        )

    def _place(
        self, group: Group, seconds: float | None, views: list[WorkerView], now: float
    ) -> bool:
        """Hand out tasks of a group; False if the scheduler gives them to nobody for now."""
        queue, key = self._state.queue, group.key
        count = 1 if key.suspect or key.retried else group.live
        if queue.competitors(key.priority) > 1:
            portion = FAIR_SECONDS * len(views) / (seconds or UNKNOWN_SECONDS)
            count = min(count, max(1, int(portion)))
        self._turn += 1
        request = Request(count, group.need, seconds, self._turn)
        placements = self._scheduler.place(request, views)
        for number, placed in placements:
            worker = self._state.workers[number]
            records = queue.take(group, placed)
            cost = (seconds or UNKNOWN_SECONDS) * worker.share(group.need)
            queue.shares.charge(key.application, cost * len(records))
            self._assign(records, worker, now)
        return len(placements) > 0

    def _assign(self, records: list[TaskRecord], worker: WorkerRecord, now: float) -> None:
        number, tasks = worker.number, worker.tasks
        assign = lifecycle.ASSIGN
        spec, base = records[0].spec, self._state.first_attempt
        rows = []
        for record in records:
            record.state = assign[record.state]
            attempt = record.attempt
            if attempt < base:
                attempt = base | attempt & ATTEMPT_MASK
            record.attempt = attempt + 1
            record.worker = number
            record.since = now
            key = record.key
            tasks[key] = record
            rows.append(
                Assigned(key, record.attempt, spec.number, record.task.payload, record.checkpoint)
            )
        self._journal.handed(records)
        worker.in_flight[spec] = worker.in_flight.get(spec, 0) + len(records)
        self._usage.pop(number, None)
        if records[0].losses:
            worker.suspects += len(records)
        worker.last_assigned = now
        worker.credit = max(0, worker.credit - len(records))
        counts = self._state.applications[application_of(records[0].key)].counts
        counts.waiting -= len(records)
        counts.assigned += len(records)
        if records[0].spec.number not in worker.specs:
            self._provide(worker, records[0].spec)
        self._outbox.send(worker.peer, Run(rows))

    def _provide(self, worker: WorkerRecord, spec: SpecRecord) -> None:
        codes = self._state.codes
        # Of what has been released although tasks still refer to it, the worker asks what became.
        digests = [one for one in spec.digests if one not in worker.digests and one in codes]
        worker.digests.update(digests)
        worker.specs.add(spec.number)
        self._outbox.send(
            worker.peer,
            Provide(
                (SpecEntry(spec.number, spec.spec),),
                tuple(codes[digest] for digest in digests),
            ),
        )

    def recall(self, now: float) -> bool:
        """Ask busy workers for unstarted tasks if others are idle; whether to look again soon."""
        if now < self._next_look:
            return True
        self._next_look = now + LOOK_SECONDS * len(self._state.workers)
        return self._recall(now)

    def _recall(self, now: float) -> bool:
        workers = [worker for worker in self._state.workers.values() if worker.peer is not None]
        if len(workers) < 2:
            return False
        over = [(worker, worker.occupied - worker.capacity.executors) for worker in workers]
        busy = [(worker, surplus) for worker, surplus in over if surplus > 0]
        if not busy:
            return False
        idle = [
            worker
            for worker, surplus in over
            if surplus <= -1 and not worker.standing.draining and not worker.standing.quarantined
        ]
        if not idle or self._state.queue.ready() > sum(w.capacity.executors for w in idle):
            return False
        watch = False
        for worker, surplus in busy:
            executors = worker.capacity.executors
            movable = self._movable(worker, surplus, idle, now)
            if not movable:
                continue
            watch = True
            silent = now - max(worker.last_outcome, worker.last_assigned) > SILENCE_SECONDS
            urgent = worker.load > RECALL_SECONDS * executors or silent
            # What comes back may have to go there again: not as fast as messages travel.
            if urgent and not worker.recalling and now >= worker.recalled_at + RECALL_INTERVAL:
                worker.recalling = True
                worker.recalled_at = now
                self._outbox.send(worker.peer, Recall((movable + 1) // 2))
        return watch

    def _movable(
        self, busy: WorkerRecord, surplus: float, idle: list[WorkerRecord], now: float
    ) -> int:
        """Return how many of the tasks that came last, and wait, an idle worker could run, about.

        Args:
            busy: the worker that has them.
            surplus: executors' shares of what waits there.
            idle: the workers that are asked.
            now: the time in seconds.

        """
        epoch = self._state.settings.epoch
        movable, left = 0, surplus
        for record in islice(reversed(busy.tasks.values()), CANDIDATES):
            if left <= 0:
                break
            need = record.spec.spec.resources
            left -= busy.share(need)
            able = (one for one in idle if one.capacity.can_run(need))
            movable += any(not standing.avoids(record, one, now, epoch) for one in able)
        if left <= 0 or not movable:
            return movable
        return int(movable * surplus / (surplus - left))


def release(worker: WorkerRecord, record: TaskRecord) -> None:
    """Take a task off a worker's books."""
    del worker.tasks[record.key]
    left = worker.in_flight[record.spec] - 1
    if left:
        worker.in_flight[record.spec] = left
    else:
        del worker.in_flight[record.spec]
    if record.losses:
        worker.suspects -= 1


def local_number(application: int, number: int) -> int:
    """Return the number under which workers know an application's spec."""
    return application << SPEC_BITS | number
