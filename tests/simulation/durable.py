"""What of a master's state its journal has to hold, as plain values to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from concurrent_framework.master import lifecycle
from concurrent_framework.model.ids import application_of, application_of_spec
from concurrent_framework.protocol.application import SystemEnded

if TYPE_CHECKING:
    from concurrent_framework.master.standing import Standing
    from concurrent_framework.master.state import ApplicationRecord, MasterState, TaskRecord


def durable(state: MasterState, now: float) -> dict[str, Any]:
    """Return everything that a restarted master has to know.

    Dead letters whose time is over at `now` are none of it: they go when a master looks next.
    """
    keep = state.settings.failed_retention
    return {
        "numbers": (state.next_number, state.next_worker),
        "workers": {
            one.number: (one.session, one.name, one.host, one.pid, one.standing.draining)
            for one in state.workers.values()
        },
        "tasks": {key: _task(record) for key, record in state.tasks.items()},
        "applications": {
            number: _application(state, one) for number, one in state.applications.items()
        },
        "finishing": {
            number: sorted(
                (item.outcome.key, repr(item.outcome))
                for item in (*one.finisher.calling.values(), *one.finisher.waiting)
            )
            for number, one in state.applications.items()
            if one.finisher is not None and one.counts.finishing
        },
        "waiting and assigned": _ready(state),
        "standing": {
            one.number: _standing(state, one.standing)
            for one in state.workers.values()
            if one.standing.streak
        },
        "grounds": [(where, _standing(state, one)) for where, one in state.grounds.items()],
        "letters": {
            letter.key: replace(letter, ended=0.0)
            for letter in state.letters.of()
            if now - letter.ended <= keep
        },
        "ended": list(state.ended),
    }


def _standing(state: MasterState, one: Standing) -> tuple[Any, ...]:
    specs = {
        spec.number for spec in one.specs if application_of_spec(spec.number) in state.applications
    }
    told = (one.streak, round(one.began, 6), one.tasks, specs, one.last, one.quarantined)
    return (*told, one.interval, round(one.until, 6))


def _ready(state: MasterState) -> dict[int, int]:
    """Count the tasks of each application that are still to be run."""
    ready: dict[int, int] = {}
    for key, record in state.tasks.items():
        if record.state in {lifecycle.WAITING, lifecycle.DELAYED, lifecycle.ASSIGNED}:
            ready[application_of(key)] = ready.get(application_of(key), 0) + 1
    return ready


def _task(record: TaskRecord) -> tuple[Any, ...]:
    spec = record.spec
    told: tuple[Any, ...] = (spec.number, spec.spec, record.task, record.losses, record.history)
    told = (*told, record.failures, record.root, record.checkpoint, round(record.arrived, 6))
    if record.state == lifecycle.FINISHING:
        return (*told, "finishing")
    told = (*told, record.cancelled)
    if spec.spec.idempotent:
        return told
    return (*told, record.state, record.worker, record.attempt)


def _application(state: MasterState, one: ApplicationRecord) -> dict[str, Any]:
    counts = one.counts
    entries = [*one.unacknowledged, *one.outgoing]
    if one.parent:
        return {**_steering(one), **_of_system(one)}
    return {
        **_steering(one),
        "session": (one.number, one.session, one.name, one.parent, one.weight, one.detached),
        "accepted": (one.accepted, one.next_spawned, one.knows_from, one.first_number),
        "counts": (counts.submitted, counts.finished, counts.failed, counts.cancelled),
        "specs": {number: (spec.number, spec.spec) for number, spec in one.specs.items()},
        "spawned": one.spawned_specs,
        "digests": one.digests,
        "shares": one.shares - one.released,
        "systems": {
            number: (system.push, system.application, system.attempt, system.checkpoint)
            for number, system in one.systems.items()
        },
        "undelivered": [
            ("system", entry)
            if isinstance(entry, SystemEnded)
            else (entry.number, entry.outcome, entry.task)
            for entry in entries
        ],
        "by task": {key: entry.number for key, entry in one.undelivered.items()},
        "bytes": one.live_bytes - sum(len(state.codes[it].data) for it in one.released),
    }


def _steering(one: ApplicationRecord) -> dict[str, Any]:
    return {"steering": (one.raised, one.paused, one.steered, one.added, one.origin)}


def _of_system(one: ApplicationRecord) -> dict[str, Any]:
    """Return what is known of a system's tasks; without a checkpoint they are not needed again."""
    told = {"session": (one.number, one.session, one.name, one.parent, one.weight)}
    if not one.counted_on:
        return told
    pending = [*one.unabsorbed, *one.unacknowledged, *one.outgoing]
    needed = [
        (entry.outcome, entry.task, entry.root)
        for entry in pending
        if not isinstance(entry, SystemEnded) and entry.root <= one.counted_on
    ]
    return {
        **told,
        "checkpoint": (one.accepted, one.counted_on, one.absorbed, one.rollbacks),
        "needed": needed,
    }
