"""Why a task is where it is. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master import lifecycle, standing, views
from concurrent_framework.model.ids import (
    FIRST_SPAWNED,
    application_of,
    format_key,
    sequence_of,
)

if TYPE_CHECKING:
    from concurrent_framework.master.letters import Letter
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import TaskRecord
    from concurrent_framework.model.resources import Capacity, Resources


def explain(reactor: MasterReactor, key: int) -> dict[str, Any]:
    """Return the task's figures and, under ``text``, a sentence that explains its state."""
    state = reactor.state
    record = state.tasks.get(key)
    if record is not None:
        return {**views.task(state, record, reactor.now), "text": _open_task(reactor, record)}
    return {"task": format_key(key), "text": ended(reactor, key)}


def ended(reactor: MasterReactor, key: int) -> str:
    """Say what became of a task that is not waiting or running."""
    state = reactor.state
    letter = state.letters.get(key)
    if letter is not None:
        return _failed(letter, reactor.now)
    number, sequence = application_of(key), sequence_of(key)
    application = state.applications.get(number)
    if application is None:
        over = next((one for one in state.ended if one["application"] == number), None)
        if over is None:
            return f"there is no application {number}; it has ended, or never was"
        return f"application {number} ({over['name']}) has ended: {over['reason']}"
    remembered = (*application.cancellations, *application.failures)
    failure = next((f for k, _, f in reversed(remembered) if k == key), None)
    if failure is not None:
        return f"it ended as {failure.kind}: {failure.message}"
    if sequence in application.systems:
        system = application.systems[sequence]
        return f"it is the task system {system.push.name}, whose tasks are {system.application}/…"
    spawned = FIRST_SPAWNED <= sequence < application.next_spawned
    if spawned or sequence <= application.accepted:
        return "it has its outcome; nothing is left to do for it"
    return "it has not been submitted"


def _failed(letter: Letter, now: float) -> str:
    failure = letter.failure
    text = f"it ended {now - letter.ended:.0f} s ago as {failure.kind}: {failure.message}"
    if letter.retried:
        return f"{text}; it is attempted again as {format_key(letter.retried)}"
    command = f"`concurrent retry {format_key(letter.key)}`"
    if letter.task is not None:
        return f"{text}; {command} attempts it again"
    if letter.remains is None:
        return text
    where = "last checkpoint" if letter.remains.facts else "beginning"
    return f"{text}; {command} has it begin again from its {where}"


def _open_task(reactor: MasterReactor, record: TaskRecord) -> str:
    state = reactor.state
    if record.state == lifecycle.FINISHING:
        return "it has its outcome, and its finished() is being called on the master's side"
    if record.state == lifecycle.ASSIGNED:
        worker = state.workers[record.worker]
        text = f"it was handed to worker {worker.name} {reactor.now - record.since:.1f} s ago"
        return f"{text}; its cancellation is under way" if record.cancelled else text
    if record.state == lifecycle.DELAYED:
        used = record.losses + record.failures
        return (
            f"it waits {max(record.due - reactor.now, 0.0):.1f} s more before attempt {used + 1} of"
            f" {record.spec.spec.max_attempts} after {record.history[-1].end}"
        )
    application = state.owner_of(state.applications[application_of(record.key)])
    if application.paused:
        return f"its application is paused; go on with `concurrent resume {application.number}`"
    return _in_the_queue(reactor, record)


def _in_the_queue(reactor: MasterReactor, record: TaskRecord) -> str:
    """Say what a task that could go to a worker waits for."""
    state, now = reactor.state, reactor.now
    need = record.spec.spec.resources
    workers = [worker for worker in state.workers.values() if worker.peer is not None]
    if not workers:
        return "no worker is connected; start one with `concurrent worker`"
    able = [worker for worker in workers if worker.capacity.can_run(need)]
    if not able:
        lacks = "; ".join(f"{w.name} {_lack(w.capacity, need)}" for w in workers[:5])
        return f"no worker can ever run it: {lacks}"
    willing = [worker for worker in able if standing.takes_work(worker, now)]
    if not willing:
        closed = ((worker.name, standing.reason_of(worker, now)) for worker in able[:5])
        why = "; ".join(f"{name}: {reason or 'it has enough'}" for name, reason in closed)
        return f"no worker that could run it takes new work: {why}"
    able = willing
    if record.losses:
        times = "once" if record.losses == 1 else f"{record.losses} times"
        text = f"it was lost with what ran it {times} and"
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
