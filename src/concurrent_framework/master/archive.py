"""What people see of failed tasks, and everything that is known of one task. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from concurrent_framework.master import explain, finding
from concurrent_framework.model.ids import format_key

if TYPE_CHECKING:
    from concurrent_framework.master.letters import Letter
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import TaskRecord
    from concurrent_framework.model.outcome import Attempt, Failure
    from concurrent_framework.model.spec import TaskSpec


def failed(reactor: MasterReactor, wanted: object) -> list[dict[str, Any]]:
    """List the failed tasks that are kept, those of one application or all, the oldest first."""
    number = finding.number_of(reactor, wanted) if wanted else None
    return [_letter(one, reactor.now) for one in reactor.state.letters.of(number)]


def show(reactor: MasterReactor, key: int) -> dict[str, Any]:
    """Return everything that is known of a task, and under ``text`` what is to be said of it."""
    letter = reactor.state.letters.get(key)
    record = reactor.state.tasks.get(key)
    described = explain.explain(reactor, key)
    if record is not None:
        return {**described, **_open(record)}
    if letter is None:
        return described
    failure = letter.failure
    certificate = failure.certificate
    return {
        **_letter(letter, reactor.now),
        "text": described["text"],
        "traceback": failure.traceback,
        "exit_code": certificate.exit_code,
        "signal": certificate.signal,
        "stderr": certificate.stderr,
        "peak_memory": certificate.peak_memory,
        "history": _history(certificate.attempts),
        "class": "" if letter.spec is None else letter.spec.code.qualname,
        "settings": None if letter.spec is None else _settings(letter.spec),
        "payload_bytes": 0 if letter.task is None else len(letter.task.payload),  # type: ignore[arg-type]
    }


def _letter(letter: Letter, now: float) -> dict[str, Any]:
    failure: Failure = letter.failure
    return {
        "task": format_key(letter.key),
        "name": letter.name,
        "application": letter.owner,
        "application_name": letter.application_name,
        "state": "failed",
        "system": letter.task is None,
        "kind": failure.kind,
        "type": failure.type,
        "message": failure.message,
        "worker": failure.certificate.worker,
        "attempts": len(failure.certificate.attempts),
        "suspect": failure.certificate.suspect,
        "ago": now - letter.ended,
        "retried_as": format_key(letter.retried) if letter.retried else "",
    }


def _open(record: TaskRecord) -> dict[str, Any]:
    return {
        "history": _history(record.history),
        "settings": _settings(record.spec.spec),
        "payload_bytes": len(record.task.payload),  # type: ignore[arg-type]
        "mean_seconds": record.spec.seconds,
    }


def _history(attempts: tuple[Attempt, ...]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(attempt) for attempt in attempts]


def _settings(spec: TaskSpec) -> dict[str, Any]:
    settings = msgspec.structs.asdict(spec)
    del settings["code"]
    settings["resources"] = msgspec.structs.asdict(spec.resources)
    return settings
