"""Tasks that wait for a time to come: for the end of their backoff, or for their deadline. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import applications, dispatch, lifecycle, retry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import TaskRecord


def watch(reactor: MasterReactor, records: Iterable[TaskRecord]) -> None:
    """Note when the deadlines of new tasks are; those that have none cost nothing."""
    agenda = reactor.state.agenda
    for record in records:
        deadline = record.spec.spec.deadline
        if deadline:
            agenda.add(record.arrived + deadline, record.key)
    agenda.compact(reactor.state.tasks)


def again(reactor: MasterReactor, record: TaskRecord, ready: list[TaskRecord]) -> None:
    """Have a waiting task attempted again: after its backoff, or at once by adding it to `ready`."""
    seconds = retry.delay(record)
    if not seconds:
        ready.append(record)
        return
    record.state = lifecycle.DELAY[record.state]
    record.due = reactor.now + seconds
    reactor.state.agenda.add(record.due, record.key)
    reactor.state.agenda.compact(reactor.state.tasks)


def check(reactor: MasterReactor) -> None:
    """Queue the tasks that have waited long enough, and end those whose deadline has come."""
    state, now = reactor.state, reactor.now
    if state.agenda.next > now:
        return
    ready, late = [], []
    for key in state.agenda.take(now):
        record = state.tasks.get(key)
        if record is None:
            continue
        deadline = record.spec.spec.deadline
        if deadline and now >= record.arrived + deadline:
            if not record.cancelled:
                record.overdue = True
                late.append(record)
        elif record.state == lifecycle.DELAYED and now >= record.due:
            record.state = lifecycle.RESUME[record.state]
            record.since = now
            ready.append(record)
    dispatch.enqueue(state, ready, front=True)
    applications.cancel(reactor, late)
