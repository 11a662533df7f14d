"""What a master measures of its own work."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from concurrent_framework.stats.scheduler import MeasuredScheduler

if TYPE_CHECKING:
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.scheduling.base import ITaskScheduler
    from concurrent_framework.stats import Registry


class Gauge:
    """Measures a master: its turns, its queue, and what its core counts.

    Args:
        stats: where it is measured.

    """

    def __init__(self, stats: Registry) -> None:
        self._stats = stats
        self._seconds = stats.histogram("master.turn_seconds", "Time of a turn of the main loop.")
        self._events = stats.histogram("master.turn_events", "Events taken in by a turn.")

    def scheduler(self, scheduler: ITaskScheduler) -> ITaskScheduler:
        """Return the scheduler to use instead of this one."""
        if not self._stats.enabled:
            return scheduler
        return cast("ITaskScheduler", MeasuredScheduler(scheduler, self._stats))

    def watch(self, reactor: MasterReactor) -> None:
        """Show what a core counts by itself. Each is one number, so any thread may read it."""
        state, gauge = reactor.state, self._stats.gauge
        gauge("master.tasks", "Tasks without an outcome.", lambda: len(state.tasks))
        gauge("scheduler.queue", "Tasks that wait for a worker.", lambda: state.queue.live)
        gauge("master.outcomes", "Outcomes taken since the start.", lambda: state.outcomes)
        gauge("master.late_outcomes", "Outcomes that came too late.", lambda: state.stale)
        gauge("master.applications", "Applications and systems.", lambda: len(state.applications))
        gauge("master.workers", "Workers, silent ones too.", lambda: len(state.workers))
        gauge("transport.peers", "Connections.", lambda: len(state.peers))

    def turned(self, events: int, seconds: float) -> None:
        """Note a turn of the main loop."""
        self._seconds.record(seconds)
        self._events.record(events)
