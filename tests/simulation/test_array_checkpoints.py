"""Task systems with arrays and shared objects whose hosts and masters die, at every moment there is."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework import Task, TaskSystem
from concurrent_framework.testing.disk import SimDisk
from tests.simulation.hosted import Stage

PATTERNS = ["push", "pull"]
STRIDE = 7
"""Every which step of a run is tried as the moment of a death."""


class Add(Task):
    """Adds a number to the sum of some others."""

    def __init__(self, numbers: Any, number: int) -> None:
        super().__init__(f"add {number}")
        self.numbers = numbers
        self.number = number

    def __call__(self) -> int:
        return int(sum(self.numbers)) + self.number

    def clean_up(self) -> None:
        self.numbers = None


def square(number: int) -> int:
    return number**2


class Rounds(TaskSystem):
    """Tasks and arrays in turns: what each array makes is shared by the tasks that follow."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.told: list[Any] = []
        self.items: dict[int, int] = {}
        self.left = 0
        self.shared: Any = None

    def generate_tasks(self, master: Any) -> None:
        master.push_map(square, range(6))

    def map_finished(self, master: Any, array: Any, first: int, results: list[Any]) -> None:
        for place, result in enumerate(results, first):
            assert place not in self.items, "an item was told twice"
            self.items[place] = result

    def array_finished(self, master: Any, array: Any) -> None:
        numbers = [self.items.pop(place) for place in range(array.count)]
        assert not self.items
        self.told.append(numbers)
        self.shared = master.share(numbers)
        self.left = 5
        for number in range(self.left):
            master.push_task(Add(self.shared, number))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        assert error is None, error
        self.told.append(result)
        self.left -= 1
        if self.left:
            master.checkpoint()
            return
        self.told[-5:] = sorted(self.told[-5:])
        self.rounds -= 1
        self.shared = None
        if self.rounds:
            master.push_map(square, (n * self.rounds for n in range(6)))

    def is_complete(self, master: Any) -> bool:
        return not self.rounds

    def gather_result(self, master: Any) -> list[Any]:
        return self.told


def expected(rounds: int) -> list[Any]:
    told: list[Any] = []
    for left in range(rounds, 0, -1):
        factor = 1 if left == rounds else left
        numbers = [(n * factor) ** 2 for n in range(6)]
        told += [numbers, *(sum(numbers) + n for n in range(5))]
    return told


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_checkpoint_is_taken_while_an_array_is_under_way(pattern: str) -> None:
    stage = Stage(Rounds(4), pattern)
    number = 0
    under_way: set[int] = set()
    while stage.step():
        if not stage.hosts.running:
            continue
        [host] = stage.hosts.running.values()
        if host._host._running is None:  # it has not been told yet
            continue
        taken = stage.host.checkpointing._number
        if stage.host.pushing.arrays.drawings:
            under_way.add(taken)
            assert number in {taken, 0}
        number = taken
    assert stage.finish() == expected(4)
    assert number >= 3
    assert len(under_way) >= 3


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_host_dies_at_every_moment(pattern: str) -> None:
    steps = _steps(pattern)
    deaths = 0
    for moment in range(1, steps, STRIDE):
        stage = Stage(Rounds(3), pattern)
        stage.step(moment)
        deaths += stage.hosts.kill()
        assert stage.finish() == expected(3), moment
    assert deaths > steps // STRIDE // 2


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_master_dies_at_every_moment(pattern: str) -> None:
    steps = _steps(pattern)
    for moment in range(1, steps, STRIDE):
        stage = Stage(Rounds(3), pattern, disk=SimDisk())
        stage.step(moment)
        stage.restart_master()
        assert stage.finish() == expected(3), moment


def _steps(pattern: str) -> int:
    stage = Stage(Rounds(3), pattern)
    assert stage.finish() == expected(3)
    return stage.steps


class Turning(TaskSystem):
    """Uses an object for two tasks, one after the other, in each round; has one checkpoint, at first."""

    def generate_tasks(self, master: Any) -> None:
        self.round = 0
        self._next(master)
        master.checkpoint()

    def _next(self, master: Any) -> None:
        self.round += 1
        self.again = True
        self.shared = master.share([self.round] * 2000)
        master.push_task(Add(self.shared, 0))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        assert error is None, error
        assert result == self.round * 2000
        if self.again:
            self.again = False
            master.push_task(Add(self.shared, 0))
        elif self.round < 8:
            self._next(master)

    def is_complete(self, master: Any) -> bool:
        return self.round == 8 and not master.outstanding

    def gather_result(self, master: Any) -> int:
        return self.round


@pytest.mark.parametrize("restart", [False, True])
def test_what_a_system_has_released_stays_while_its_checkpoint_refers_to_it(
    monkeypatch: pytest.MonkeyPatch, *, restart: bool
) -> None:
    monkeypatch.setattr("concurrent_framework.application.checkpointing.INTERVAL", 1e6)
    stage = Stage(Turning(), disk=SimDisk())
    stage.until(0.1)
    while stage.host.system.round < 5:
        stage.step()
    first, *_ = stage.system.shares
    assert first in stage.cluster.master.state.codes
    assert len(stage.cluster.master.state.codes) < 5
    if restart:
        stage.restart_master()
    else:
        stage.hosts.kill()
    assert stage.finish() == 8
    assert not stage.cluster.master.state.codes


def test_what_a_system_has_released_goes_with_its_next_checkpoint() -> None:
    stage = Stage(Turning())
    most = 0
    while stage.step():
        most = max(most, len(stage.cluster.master.state.codes))
    assert stage.finish() == 8
    assert 1 < most < 5


class Losing(TaskSystem):
    """Has an array whose slices are given up with the first worker that is lost."""

    def generate_tasks(self, master: Any) -> None:
        self.told: list[int] = []
        master.push_map(square, range(12), max_attempts=1)

    def map_finished(self, master: Any, array: Any, first: int, results: list[Any]) -> None:
        self.told += range(first, first + len(results))

    def array_finished(self, master: Any, array: Any) -> None:
        self.failed = array.failed

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        raise AssertionError

    def gather_result(self, master: Any) -> Any:
        return sorted(self.told), self.failed


def test_slices_that_are_lost_are_no_dead_letters() -> None:
    """Attempting one again would tell of its items twice."""
    stage = Stage(Losing(), mean=5.0)
    for moment in range(2, 22, 4):
        stage.until(moment)
        stage.change_workers()
    told, failed = stage.finish()
    assert told == list(range(12))
    assert failed > 1
    assert not stage.cluster.master.state.letters.of()
