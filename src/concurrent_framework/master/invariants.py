"""What must always hold of a master's state, for tests and the simulation. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from concurrent_framework.master import lifecycle
from concurrent_framework.model.ids import application_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.state import MasterState, SpecRecord, WorkerRecord

_NO_TASKS: Final = (0, 0, 0)


class InvariantError(AssertionError):
    """The master's state contradicts itself."""


def check_invariants(state: MasterState) -> None:
    """Raise `InvariantError` naming the first contradiction; O(state).

    A simulation calls it after every event: no message is put together unless it is needed.
    """
    present = _check_tasks(state)
    _check_workers(state.workers.values())
    for number, application in state.applications.items():
        counts = application.counts
        states = present.get(number, _NO_TASKS)
        for found, name in zip(states, lifecycle.NAMES, strict=False):
            if getattr(counts, name) != found:
                _contradict(
                    f"application {number} counts {getattr(counts, name)} {name}, there are {found}"
                )
        ended = counts.finished + counts.failed + counts.cancelled
        if counts.submitted != sum(states) + ended:
            _contradict(
                f"application {number}: {counts.submitted} submitted,"
                f" {sum(states)} open, {ended} ended"
            )
        for entry in application.unabsorbed:
            if entry.root > application.counted_on:
                _contradict(f"application {number} keeps outcomes that no checkpoint counts on")
    if not state.queue.paused <= state.applications.keys():
        _contradict("one that has ended is paused")
    retries = state.letters.retries.keys() - state.tasks.keys()
    if any(state.system_of(key) is None for key in retries):
        _contradict("a retry that ended is awaited")
    for session, number in state.sessions.items():
        if state.applications[number].session != session:
            _contradict(f"session {session} is misfiled")


def _check_tasks(state: MasterState) -> dict[int, list[int]]:
    """Return how many tasks each application has: waiting or delayed, assigned, finishing."""
    waiting = lifecycle.WAITING
    queued = {record.key for record in state.queue if record.state == waiting}
    present: dict[int, list[int]] = {}
    for key, record in state.tasks.items():
        now = record.state
        if record.key != key:
            _contradict(f"task {key} is misfiled")
        if (now == waiting) != (key in queued):
            _contradict(f"task {key} is {lifecycle.NAMES[now]}, in queue: {key in queued}")
        if now == lifecycle.ASSIGNED:
            worker = state.workers.get(record.worker)
            if worker is None or worker.tasks.get(key) is not record:
                _contradict(
                    f"task {key} is assigned to worker {record.worker}, which does not have it"
                )
        if now == lifecycle.DONE:
            _contradict(f"task {key} is done and still kept")
        states = present.get(application_of(key))
        if states is None:
            if application_of(key) not in state.applications:
                _contradict(f"task {key} has no application")
            states = present[application_of(key)] = list(_NO_TASKS)
        states[waiting if now == lifecycle.DELAYED else now] += 1
    return present


def _check_workers(workers: Iterable[WorkerRecord]) -> None:
    for worker in workers:
        counted: dict[SpecRecord, int] = {}
        suspects = 0
        for record in worker.tasks.values():
            if record.state != lifecycle.ASSIGNED or record.worker != worker.number:
                _contradict(
                    f"worker {worker.number} has task {record.key} of worker {record.worker}"
                )
            counted[record.spec] = counted.get(record.spec, 0) + 1
            suspects += record.losses > 0
        if counted != worker.in_flight:
            _contradict(f"worker {worker.number} miscounts its tasks")
        if suspects != worker.suspects:
            _contradict(f"worker {worker.number} miscounts suspects")


def _contradict(message: str) -> NoReturn:
    raise InvariantError(message)
