"""A failure in words for people: what happened, where, how often, and who is to blame."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.model.outcome import Attempt, Certificate, Failure

_SUSPECTS = {
    "task": "the task itself is suspected, not where it ran",
    "worker": "the worker is suspected, not the task",
}


def report(failure: Failure) -> str:
    """Return several lines that say all that is known about a failure.

    Example:
        >>> from concurrent_framework.model.outcome import Certificate, Failure
        >>> print(report(Failure("failed", "ValueError", "no", certificate=Certificate("w1"))))
        ValueError: no (worker w1)

    """
    return "\n".join(_lines(failure))


def _lines(failure: Failure) -> Iterator[str]:
    certificate = failure.certificate
    text = failure.message
    if failure.kind == "failed" and failure.type and not text.startswith(failure.type):
        text = f"{failure.type}: {text}"
    yield f"{text} (worker {certificate.worker})" if certificate.worker else text
    if failure.traceback:
        yield failure.traceback.rstrip()
    elif certificate.stderr:
        yield "its last words:"
        yield certificate.stderr.rstrip()
    if len(certificate.attempts) > 1:
        yield "its attempts:"
        yield from (_attempt(one) for one in certificate.attempts)
    if not failure.traceback:
        known = [*_circumstances(certificate)]
        if known:
            yield "; ".join(known)


def _attempt(attempt: Attempt) -> str:
    began = datetime.fromtimestamp(attempt.started).astimezone()
    took = attempt.ended - attempt.started
    when = f"{began:%H:%M:%S} for {took:.1f} s"
    return f"  {attempt.number} on {attempt.worker}, {when}: {attempt.end}"


def _circumstances(certificate: Certificate) -> Iterator[str]:
    if certificate.exit_code is not None:
        yield f"its process ended with exit code {certificate.exit_code}"
    if certificate.signal:
        yield f"its process was ended by {signal_name(certificate.signal)}"
    if certificate.peak_memory:
        yield f"it used {certificate.peak_memory / (1 << 20):.0f} MiB of memory at most"
    if certificate.suspect in _SUSPECTS:
        yield _SUSPECTS[certificate.suspect]


def signal_name(number: int) -> str:
    """Return how a signal is called.

    Example:
        >>> signal_name(9)
        'SIGKILL'

    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
