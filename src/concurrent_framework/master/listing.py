"""Tasks without an outcome, by the page. PURE.

There may be millions, and the core does nothing else while it makes a page. So a page costs what has
to be skipped for it from the nearer end, among the tasks of its application as far as these can be
told from others. Only who filters by name or state has all of them looked at, once.
"""

from __future__ import annotations

from itertools import chain, filterfalse, islice
from typing import TYPE_CHECKING, Any

from concurrent_framework.master import lifecycle, views
from concurrent_framework.model.ids import FIRST_SPAWNED, application_of, task_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from concurrent_framework.master.state import ApplicationRecord, MasterState, TaskRecord


def tasks(
    state: MasterState, now: float, number: int | None, wanted: dict[str, Any]
) -> dict[str, Any]:
    """Describe a page of the tasks without an outcome: those at workers, then the others as submitted.

    Args:
        state: all there is.
        now: the core's clock.
        number: only of this application and its systems.
        wanted: only those in this `state`, on this `worker`, whose `name` contains this; `offset`
            and `limit` choose the page.

    """
    start, limit = int(wanted.get("offset", 0)), int(wanted.get("limit", 100))
    owners = {
        one.number: one
        for one in state.applications.values()
        if number is None or number in (one.number, one.parent)
    }
    running = _running(state, owners, wanted.get("worker"))
    if any(wanted.get(key) for key in ("state", "worker", "name")):
        found = _filtered(state, owners, running, wanted)
        total, page = len(found), found[start : start + limit]
    else:
        counts = [one.counts for one in owners.values()]
        total = sum(one.waiting + one.assigned + one.finishing for one in counts)
        page = running[start : start + limit]
        first = max(start - len(running), 0)
        last = min(start + limit, total) - len(running)
        page += _others(state, owners, running, first, last, total - len(running))
    return {"total": total, "tasks": [views.task(state, one, now) for one in page]}


def _running(
    state: MasterState, owners: dict[int, ApplicationRecord], where: str | None
) -> list[TaskRecord]:
    """Return the tasks at workers, those first that have been there longest."""
    running = [
        record
        for worker in state.workers.values()
        if not where or worker.name == where
        for key, record in worker.tasks.items()
        if application_of(key) in owners
    ]
    running.sort(key=_since)
    return running


def _since(record: TaskRecord) -> float:
    return record.since


def _filtered(
    state: MasterState,
    owners: dict[int, ApplicationRecord],
    running: list[TaskRecord],
    wanted: dict[str, Any],
) -> list[TaskRecord]:
    name, where, which = wanted.get("name"), wanted.get("worker"), wanted.get("state")
    ending = any(one.counts.finishing for one in owners.values())
    # What was cancelled and is not at a worker has its outcome, unless it is finishing.
    elsewhere = not where and which != "assigned"
    if elsewhere and (ending or which not in ("finishing", views.CANCELLING)):
        keys = filterfalse({one.key for one in running}.__contains__, _keys(state, owners))
        found: Iterator[TaskRecord] = chain(running, map(state.tasks.__getitem__, keys))
    else:
        found = iter(running)
    if which == views.CANCELLING:
        found = (record for record in found if record.cancelled)
    elif which:
        code = lifecycle.NAMES.index(which) if which in lifecycle.NAMES else None
        found = (record for record in found if record.state == code and not record.cancelled)
    return [record for record in found if name in record.task.name] if name else list(found)


def _others(
    state: MasterState,
    owners: dict[int, ApplicationRecord],
    running: Sequence[TaskRecord],
    first: int,
    last: int,
    count: int,
) -> list[TaskRecord]:
    """Return those from `first` to `last` of the `count` tasks that are not at workers."""
    if first >= last:
        return []
    backward = first > count - last
    keys = filterfalse(
        {one.key for one in running}.__contains__, _keys(state, owners, backward=backward)
    )
    if backward:
        page = list(islice(keys, count - last, count - first))[::-1]
    else:
        page = list(islice(keys, first, last))
    return [state.tasks[key] for key in page]


def _keys(
    state: MasterState, owners: dict[int, ApplicationRecord], *, backward: bool = False
) -> Iterator[int]:
    """Yield the keys of the owners' tasks as they were submitted, or the last one first."""
    present = state.tasks
    if len(owners) == len(state.applications):
        return reversed(present) if backward else iter(present)
    pushed = sum(one.accepted for one in owners.values())
    spawned = any(one.next_spawned > FIRST_SPAWNED for one in owners.values())
    if spawned or pushed > len(present):
        keys = reversed(present) if backward else iter(present)
        return (key for key in keys if application_of(key) in owners)
    # What it has pushed is fewer than all there are: try that, instead of looking through those.
    ranges = [range(task_key(one, 1), task_key(one, owners[one].accepted + 1)) for one in owners]
    if backward:
        ranges = [one[::-1] for one in reversed(ranges)]
    return filter(present.__contains__, chain.from_iterable(ranges))
