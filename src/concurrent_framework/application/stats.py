"""Counters of one application."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ApplicationStats:
    """How far an application has come; `ApplicationNode.stats` and `SystemMaster.stats`.

    Attributes:
        pushed: tasks pushed by this process.
        finished: tasks that ended with a result.
        failed: tasks that ended with an error.
        outstanding: tasks and task systems that have not ended yet; an iterable that is not
            exhausted counts as one more.
        task_seconds: wall time that finished tasks ran on workers, summed up.
        workers: workers of the swarm.
        executors: tasks the swarm can run at a time.

    """

    pushed: int = 0
    finished: int = 0
    failed: int = 0
    outstanding: int = 0
    task_seconds: float = 0.0
    workers: int = 0
    executors: int = 0
