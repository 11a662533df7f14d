"""What a node keeps of the calls of its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

    from concurrent_framework.stats import Registry


class Calls:
    """Measures calls, and logs those that failed for no fault of the caller.

    Args:
        stats: where they are measured.
        log: where failures are written.

    """

    def __init__(self, stats: Registry, log: Logger) -> None:
        self._seconds = stats.histogram("api.call_seconds", "Time to answer a call of the API.")
        self._failures = stats.counter("api.failures", "Calls of the API that ended with a bug.")
        self._log = log

    def called(self, _method: str, seconds: float) -> None:
        """Note a call that was answered, with a result or an error."""
        self._seconds.record(seconds)

    def failed(self, method: str, error: Exception) -> None:
        """Note that a method raised something it should not."""
        self._failures.add(1)
        self._log.error("the API method %s failed", method, exc_info=error)
