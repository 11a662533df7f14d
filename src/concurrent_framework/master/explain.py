"""Why a task is where it is. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import lifecycle, views
from concurrent_framework.model.ids import application_of, format_key, sequence_of

if TYPE_CHECKING:
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import TaskRecord
    from concurrent_framework.model.resources import Capacity, Resources


def explain(reactor: MasterReactor, key: int) -> dict[str, Any]:
    """Return the task's figures and, under ``text``, a sentence that explains its state."""
    state = reactor.state
    record = state.tasks.get(key)
    if record is not None:
        return {**views.task(state, record, reactor.now), "text": _open_task(reactor, record)}
    application = state.applications.get(application_of(key))
    if application is None:
        text = f"there is no application {application_of(key)}; it has ended, or never was"
    else:
        failure = next((f for k, _, f in reversed(application.failures) if k == key), None)
        if failure is not None:
            text = f"it ended as {failure.kind}: {failure.message}"
        elif sequence_of(key) <= application.accepted:
            text = "it has its outcome; nothing is left to do for it"
        else:
            text = "it has not been submitted"
    return {"task": format_key(key), "text": text}


def _open_task(reactor: MasterReactor, record: TaskRecord) -> str:
    state = reactor.state
    if record.state == lifecycle.FINISHING:
        return "it has its outcome, and its finished() is being called on the master's side"
    if record.state == lifecycle.ASSIGNED:
        worker = state.workers[record.worker]
        text = f"it was handed to worker {worker.name} {reactor.now - record.since:.1f} s ago"
        return f"{text}; its cancellation is under way" if record.cancelled else text
    need = record.spec.spec.resources
    workers = [worker for worker in state.workers.values() if worker.peer is not None]
    if not workers:
        return "no worker is connected; start one with `concurrent worker`"
    able = [worker for worker in workers if worker.capacity.can_run(need)]
    if not able:
        lacks = "; ".join(f"{w.name} {_lack(w.capacity, need)}" for w in workers[:5])
        return f"no worker can ever run it: {lacks}"
    if record.losses:
        text = f"it was lost with its worker {record.losses} times and"
        if all(worker.suspects for worker in able):
            return f"{text} waits for a worker that has no other such task"
        return f"{text} is next in line"
    ahead = state.queue.live - 1
    return f"it waits for room on one of {len(able)} workers; {ahead} other tasks wait too"


def _lack(capacity: Capacity, need: Resources) -> str:
    """Say what a worker lacks for a task, as in 'has 0 gpus of 1'."""
    if not capacity.executors:
        return "has no executors"
    if need.cpus > capacity.cpus:
        return f"has {capacity.cpus:g} cpus of {need.cpus:g}"
    if need.gpus > capacity.gpus:
        return f"has {capacity.gpus:g} gpus of {need.gpus:g}"
    if capacity.memory and need.memory > capacity.memory:
        return f"has {capacity.memory / 2**20:.0f} MiB of memory of {need.memory / 2**20:.0f}"
    missing = ", ".join(sorted(set(need.labels) - set(capacity.labels)))
    return f"lacks the labels {missing}"
