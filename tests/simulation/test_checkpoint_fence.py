"""A task that was rolled back and the one that has its number now are two: only the later counts."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework import Task, TaskSystem
from tests.simulation.hosted import Stage


class Give(Task):
    """Returns its value after some seconds."""

    def __init__(self, value: float, seconds: float) -> None:
        super().__init__(f"give {value}")
        self.value = value
        self.seconds = seconds

    def __call__(self) -> float:
        return self.value


class Drifting(TaskSystem):
    """Makes another second task each time that it is told of the first."""

    stage: Stage

    def generate_tasks(self, master: Any) -> list[Task]:
        return [Give(1, 0.3)]

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        assert task.value == result, "this is what came of another task"
        if result == 1:
            return Give(type(self).stage.cluster.clock.now, 3)
        self.last = result
        return None

    def gather_result(self, master: Any) -> Any:
        return self.last


@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_a_worker_that_missed_the_rollback_is_fenced_off(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)
    stage = Stage(Drifting(), pattern)
    monkeypatch.setattr(Drifting, "stage", stage, raising=False)
    stage.workers.pop().leave()
    [worker] = stage.workers
    stage.until(0.5)
    assert (stage.tasks.counted_on, stage.tasks.accepted) == (1, 2)
    worker.cut()
    stage.hosts.kill()
    stage.until(1.0)
    assert (stage.tasks.accepted, stage.tasks.rollbacks) == (2, 1), "the number is used again"
    worker.mend()
    assert 0.5 < stage.finish() < 1.0
    assert stage.starts() == [(1, 1), (2, 1), (2, 2)]
