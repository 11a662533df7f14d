"""What people see of the master's state, as values of builtin types. PURE."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from concurrent_framework.master import lifecycle, standing, stored
from concurrent_framework.model.ids import application_of, format_key, nth_attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.master.state import ApplicationRecord, MasterState, TaskRecord


def status(state: MasterState, pattern: str, now: float) -> dict[str, Any]:
    """Describe the cluster in a few numbers."""
    present = [worker for worker in state.workers.values() if worker.peer is not None]
    return {
        "master": state.settings.name,
        "version": state.settings.version,
        "uptime": now - state.started,
        "pattern": pattern,
        "workers": len(present),
        "executors": sum(worker.capacity.executors for worker in present),
        "occupied": sum(
            min(worker.occupied, float(worker.capacity.executors)) for worker in present
        ),
        "recovering": [state.workers[number].name for number in sorted(state.awaited)],
        "trouble": state.trouble,
        "journal": stored.journal(state),
        "applications": sum(not record.parent for record in state.applications.values()),
        "tasks": {
            name: sum(getattr(record.counts, name) for record in state.applications.values())
            for name in ("waiting", "assigned", "finishing", "finished", "failed", "cancelled")
        },
        "failures": len(state.letters),
        "outcomes": state.outcomes,
        "late_outcomes": state.stale,
    }


def workers(state: MasterState, now: float) -> list[dict[str, Any]]:
    """Describe every worker."""
    return [
        {
            "worker": worker.name,
            "host": worker.host,
            "pid": worker.pid,
            "version": worker.version,
            "executors": worker.capacity.executors,
            "cpus": worker.capacity.cpus,
            "memory": worker.capacity.memory,
            "gpus": worker.capacity.gpus,
            "labels": list(worker.capacity.labels),
            "state": standing.state_of(worker, now),
            "reason": standing.reason_of(worker, now),
            "tasks": len(worker.tasks),
            "finished": worker.finished,
            "speed": round(worker.speed, 3),
            "uptime": now - worker.joined,
            "silent": now - worker.last_heard,
        }
        for worker in state.workers.values()
    ]


def applications(state: MasterState, now: float) -> list[dict[str, Any]]:
    """Describe every application and, below it, its systems."""
    described = []
    for record in state.applications.values():
        if record.parent:
            continue
        entry = application(record, now)
        entry["systems"] = [
            {
                **application(state.applications[system.application], now),
                "name": system.push.name,
                "sequence": system.push.sequence,
                "attempt": system.attempt,
            }
            for system in record.systems.values()
        ]
        described.append(entry)
    return described


def ended(state: MasterState, now: float) -> list[dict[str, Any]]:
    """Describe the applications that have ended, the last one last, as they were at their end."""
    present = state.settings.epoch + now
    return [{**entry, "ago": present - entry["ended"], "systems": []} for entry in state.ended]


def application(record: ApplicationRecord, now: float) -> dict[str, Any]:
    """Describe one application, or the tasks of one system."""
    counts, progress = record.counts, record.progress
    return {
        "application": record.number,
        "name": record.name,
        "state": record.state,
        "host": record.host,
        "pid": record.pid,
        "age": now - record.began,
        "weight": record.weight,
        "priority": record.raised,
        "paused": record.paused,
        "submitted": counts.submitted,
        "waiting": counts.waiting,
        "assigned": counts.assigned,
        "finishing": counts.finishing,
        "finished": counts.finished,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "undelivered": len(record.outgoing) + len(record.unacknowledged),
        "progress": None
        if progress is None
        else {"done": progress.done, "total": progress.total, "message": progress.message},
    }


def at_its_end(record: ApplicationRecord, now: float, reason: str) -> dict[str, Any]:
    """Describe an application that ends now: the tasks that it still has end with it."""
    counts = record.counts
    dropped = counts.waiting + counts.assigned + counts.finishing
    return {
        **application(record, now),
        "state": "ended",
        "reason": reason,
        **dict.fromkeys(("waiting", "assigned", "finishing"), 0),
        "cancelled": counts.cancelled + dropped,
    }


def tasks(
    state: MasterState, now: float, number: int | None, wanted: dict[str, Any]
) -> dict[str, Any]:
    """Describe a page of the tasks without an outcome, those at workers first.

    Args:
        state: all there is.
        now: the core's clock.
        number: only of this application.
        wanted: only those in this `state`, on this `worker`, whose `name` contains this; `offset`
            and `limit` choose the page.

    """
    start, limit = int(wanted.get("offset", 0)), int(wanted.get("limit", 100))
    chosen = _chosen(state, number, wanted)
    page = [task(state, one, now) for one in islice(chosen, start, start + limit)]
    if any(wanted.get(key) for key in ("state", "worker", "name")):
        total = sum(1 for _ in _chosen(state, number, wanted))
    else:
        total = sum(
            one.counts.waiting + one.counts.assigned + one.counts.finishing
            for one in state.applications.values()
            if number is None or number in (one.number, one.parent)
        )
    return {"total": total, "tasks": page}


def _chosen(state: MasterState, number: int | None, wanted: dict[str, Any]) -> Iterator[TaskRecord]:
    """Yield the tasks that are wanted: those at workers, then the others as they were submitted."""
    name, where, which = wanted.get("name"), wanted.get("worker"), wanted.get("state")
    running = [
        record
        for worker in state.workers.values()
        if not where or worker.name == where
        for record in worker.tasks.values()
    ]
    running.sort(key=_since)
    others = (one for one in state.tasks.values() if one.state != lifecycle.ASSIGNED)
    for record in running if where else chain(running, others):
        if (
            (number is None or _belongs(state, record, number))
            and (not name or name in record.task.name)
            and (not which or _state_of(record) == which)
        ):
            yield record


def _since(record: TaskRecord) -> float:
    return record.since


def _state_of(record: TaskRecord) -> str:
    return "cancelling" if record.cancelled else lifecycle.NAMES[record.state]


def _belongs(state: MasterState, record: TaskRecord, number: int) -> bool:
    application = state.applications[application_of(record.key)]
    return number in (application.number, application.parent)


def task(state: MasterState, record: TaskRecord, now: float) -> dict[str, Any]:
    """Describe one task that has no outcome yet."""
    worker = state.workers.get(record.worker)
    application = state.applications[application_of(record.key)]
    progress = application.task_progress.get(record.key)
    return {
        "task": format_key(record.key),
        "name": record.task.name,
        "class": record.spec.spec.code.qualname,
        "application": application.number,
        "application_name": application.name,
        "state": _state_of(record),
        "wait": max(record.due - now, 0.0) if record.state == lifecycle.DELAYED else None,
        "worker": worker.name if worker else "",
        "attempt": nth_attempt(record.attempt),
        "seconds": now - record.since,
        "priority": record.spec.priority,
        "progress": None
        if progress is None
        else {"done": progress.done, "total": progress.total, "message": progress.message},
    }
