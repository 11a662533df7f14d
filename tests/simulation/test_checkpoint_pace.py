"""How often the state of a task system is taken down: rarely enough to cost little."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework import Farm, Task, TaskSystem
from tests.simulation.hosted import Stage

COST = 0.1


class Ticking(Task):
    """Ends after a fifth of a second."""

    seconds = 0.2

    def __call__(self) -> bytes:
        return bytes(1000)


class Heavy(TaskSystem):
    """Its state takes a tenth of a second to pickle, by the clock of the simulation."""

    dumped: list[float]
    stage: Stage

    def generate_tasks(self, master: Any) -> Any:
        return (Ticking() for _ in range(1500))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        self.told = getattr(self, "told", 0) + 1

    def __getstate__(self) -> dict[str, Any]:
        stage = getattr(type(self), "stage", None)
        if stage is not None:
            clock = stage.cluster.clock
            clock.now += COST
            self.dumped.append(clock.now)
        return self.__dict__

    def gather_result(self, master: Any) -> int:
        return self.told


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)


def test_pickling_takes_five_percent_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(Heavy())
    monkeypatch.setattr(Heavy, "dumped", [], raising=False)
    monkeypatch.setattr(Heavy, "stage", stage, raising=False)
    stage.until(40)
    gaps = [later - one for one, later in zip(Heavy.dumped, Heavy.dumped[1:], strict=False)]
    assert min(gaps) >= 20 * COST
    assert 15 <= len(Heavy.dumped) <= 21
    assert stage.finish() == 1500


def test_a_quiet_system_makes_no_checkpoints() -> None:
    stage = Stage(Farm([Ticking()]))
    stage.workers[0].cut()
    stage.workers[1].cut()
    stage.until(3)
    number = stage.host.checkpointing._number
    stage.until(20)
    assert stage.host.checkpointing._number == number
    assert number in {1, 2}


def test_many_results_make_the_next_one_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """The master keeps them until it has that."""
    monkeypatch.setattr("concurrent_framework.application.checkpointing.KEPT_BYTES", 20_000)
    monkeypatch.setattr("concurrent_framework.application.checkpointing.INTERVAL", 1e6)
    stage = Stage(Farm([Ticking() for _ in range(300)], combine=max), window=40)
    most = 0
    while stage.step():
        kept = [one.unabsorbed for one in stage.cluster.master.state.applications.values()]
        most = max(most, 1000 * max(map(len, kept)))
    assert stage.finish() == bytes(1000)
    assert 5_000 < most < 60_000
