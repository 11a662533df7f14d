"""What a worker measures of its own work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.protocol.tasks import Outcome
    from concurrent_framework.stats import Registry
    from concurrent_framework.worker.reactor import WorkerReactor


class Gauge:
    """Measures a worker: its turns, and what its executors report.

    Args:
        stats: where it is measured.

    """

    def __init__(self, stats: Registry) -> None:
        self._stats = stats
        self._seconds = stats.histogram("worker.turn_seconds", "Time of a turn of the main loop.")
        self._runs = stats.histogram("executor.task_seconds", "Time that tasks ran.")
        self._batches = stats.histogram("executor.batch_tasks", "Tasks reported at a time.")
        self._failed = stats.counter("executor.failed", "Tasks that failed.")

    def watch(self, reactor: WorkerReactor) -> None:
        """Show what the core counts by itself. Each is one number, so any thread may read it."""
        gauge = self._stats.gauge
        gauge("worker.held", "Tasks it has and has not reported.", lambda: len(reactor.held))
        gauge("worker.unsafe", "Reports that the master has not.", lambda: len(reactor.unsafe))
        gauge("executor.processes", "Tasks it runs at a time.", lambda: reactor.capacity.executors)

    def reported(self, outcomes: Sequence[Outcome]) -> None:
        """Note what the executors have reported at a time."""
        if outcomes and self._stats.enabled:
            self._runs.record_all([outcome.seconds for outcome in outcomes])
            self._batches.record(len(outcomes))
            self._failed.add(sum(outcome.failure is not None for outcome in outcomes))

    def turned(self, seconds: float) -> None:
        """Note a turn of the main loop."""
        self._seconds.record(seconds)
