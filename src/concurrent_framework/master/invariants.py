"""What must always hold of a master's state, for tests and the simulation. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from concurrent_framework.master import lifecycle
from concurrent_framework.model.ids import SEQUENCE_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.master.state import (
        ApplicationRecord,
        MasterState,
        SpecRecord,
        TaskRecord,
        WorkerRecord,
    )

_NO_TASKS: Final = (0, 0, 0)


class InvariantError(AssertionError):
    """The master's state contradicts itself."""


def check_invariants(state: MasterState) -> None:
    """Raise `InvariantError` naming the first contradiction; O(state).

    A simulation calls it after every event: each task is looked at once, and no message is put together
    unless it is needed.
    """
    _check_tasks(state)
    for application in state.applications.values():
        for entry in application.unabsorbed:
            if entry.root > application.counted_on:
                _contradict(
                    f"application {application.number} keeps outcomes that no checkpoint counts on"
                )
    if state.queue.paused and not state.queue.paused <= state.applications.keys():
        _contradict("one that has ended is paused")
    for key in state.letters.retries:
        if key not in state.tasks and state.system_of(key) is None:
            _contradict("a retry that ended is awaited")
    for session, number in state.sessions.items():
        if state.applications[number].session != session:
            _contradict(f"session {session} is misfiled")


class _Held:
    """What the tasks say that a worker has."""

    __slots__ = ("count", "in_flight", "suspects", "tasks")

    def __init__(self, tasks: dict[int, TaskRecord]) -> None:
        self.tasks = tasks
        self.count = 0
        self.in_flight: dict[SpecRecord, int] = {}
        self.suspects = 0


def _check_tasks(state: MasterState) -> None:
    """Look at each task, and compare with what applications and workers say of theirs."""
    waiting, assigned, done = lifecycle.WAITING, lifecycle.ASSIGNED, lifecycle.DONE
    queued = {record.key for record in state.queue if record.state == waiting}
    present: dict[int, list[int]] = {}
    held = {number: _Held(worker.tasks) for number, worker in state.workers.items()}
    number, states = -1, list(_NO_TASKS)
    for key, record in state.tasks.items():
        now = record.state
        if record.key != key:
            _contradict(f"task {key} is misfiled")
        if (now == waiting) != (key in queued):
            _contradict(f"task {key} is {lifecycle.NAMES[now]}, in queue: {key in queued}")
        if now == assigned:
            mine = held.get(record.worker)
            if mine is None or mine.tasks.get(key) is not record:
                _contradict(
                    f"task {key} is assigned to worker {record.worker}, which does not have it"
                )
            spec = record.spec
            mine.count += 1
            mine.in_flight[spec] = mine.in_flight.get(spec, 0) + 1
            mine.suspects += record.losses > 0
        elif now == done:
            _contradict(f"task {key} is done and still kept")
        if number != key >> SEQUENCE_BITS:
            number = key >> SEQUENCE_BITS
            if number not in state.applications:
                _contradict(f"task {key} has no application")
            states = present.setdefault(number, list(_NO_TASKS))
        states[waiting if now == lifecycle.DELAYED else now] += 1
    for number, application in state.applications.items():
        _check_counts(application, present.get(number, _NO_TASKS))
    for number, worker in state.workers.items():
        _check_worker(worker, held[number])


def _check_counts(application: ApplicationRecord, states: Sequence[int]) -> None:
    counts, number = application.counts, application.number
    counted = (counts.waiting, counts.assigned, counts.finishing)
    if counted != tuple(states):
        _contradict(
            f"application {number} counts {counted} tasks {lifecycle.NAMES[:3]},"
            f" there are {tuple(states)}"
        )
    ended = counts.finished + counts.failed + counts.cancelled
    if counts.submitted != sum(states) + ended:
        _contradict(
            f"application {number}: {counts.submitted} submitted, {sum(states)} open, {ended} ended"
        )


def _check_worker(worker: WorkerRecord, found: _Held) -> None:
    if len(worker.tasks) != found.count:
        _contradict(f"worker {worker.number} has tasks that are not assigned to it")
    if found.in_flight != worker.in_flight:
        _contradict(f"worker {worker.number} miscounts its tasks")
    if found.suspects != worker.suspects:
        _contradict(f"worker {worker.number} miscounts suspects")


def _contradict(message: str) -> NoReturn:
    raise InvariantError(message)
