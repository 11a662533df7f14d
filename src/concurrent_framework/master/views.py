"""What people see of the master's state, as values of builtin types. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import lifecycle, standing, stored
from concurrent_framework.model.ids import application_of, format_key, nth_attempt

if TYPE_CHECKING:
    from concurrent_framework.master.state import ApplicationRecord, MasterState, TaskRecord

CANCELLING = "cancelling"
"""Where a task is that was cancelled and has no outcome yet."""


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


def state_of(record: TaskRecord) -> str:
    """Return in one word where a task is."""
    return CANCELLING if record.cancelled else lifecycle.NAMES[record.state]


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
        "state": state_of(record),
        "wait": max(record.due - now, 0.0) if record.state == lifecycle.DELAYED else None,
        "worker": worker.name if worker else "",
        "attempt": nth_attempt(record.attempt),
        "seconds": now - record.since,
        "priority": record.spec.priority,
        "progress": None
        if progress is None
        else {"done": progress.done, "total": progress.total, "message": progress.message},
    }
