"""Task systems whose host is killed at every moment there is: the result is what it would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import (
    Farm,
    MapReduce,
    Search,
    Task,
    TaskGraph,
    TaskSystem,
    current_task,
)
from tests.simulation.hosted import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATTERNS = ["push", "pull"]
STRIDE = 7
"""Every which step of a run is tried as the moment of a death; all of them over the patterns."""


class Give(Task):
    """Returns its value; makes tasks itself, down to a depth."""

    def __init__(self, value: int, depth: int = 0) -> None:
        super().__init__(f"give {value}")
        self.value = value
        self.depth = depth

    def __call__(self) -> int:
        if self.depth:
            current_task().push_tasks(
                Give(-(abs(self.value) * 10 + n), self.depth - 1) for n in (1, 2)
            )
        return self.value


class Ledger(TaskSystem):
    """Writes down everything that it is told. Some tasks lead to others, in every way there is."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.told: list[int] = []
        self.begun = 0

    def init_system(self, master: Any) -> None:
        self.begun += 1

    def generate_tasks(self, master: Any) -> Iterator[Task]:
        return (Give(n, depth=2 if n % 10 == 1 else 0) for n in range(1, self.size + 1))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        assert error is None
        assert task.value == result
        self.told.append(result)
        if 0 < result <= self.size and result % 10 == 2:
            master.push_task(Give(1000 + result))
        elif 0 < result <= self.size and result % 10 == 3:
            return [Give(2000 + result), Give(3000 + result)]
        elif 0 < result <= self.size and result % 10 == 4:
            return (Give(4000 + result + n) for n in range(3))
        return None

    def gather_result(self, master: Any) -> Any:
        return self.begun, sorted(self.told), master.stats.finished, master.stats.pushed

    def expected(self) -> Any:
        values = []
        for n in range(1, self.size + 1):
            values.append(n)
            if n % 10 == 1:
                values += [-(n * 10 + 1), -(n * 10 + 2)]
                values += [-(m * 10 + k) for m in (n * 10 + 1, n * 10 + 2) for k in (1, 2)]
            values += {2: [1000 + n], 3: [2000 + n, 3000 + n]}.get(n % 10, [])
            values += [4000 + n, 4001 + n, 4002 + n] if n % 10 == 4 else []
        spawned = 6 * len([n for n in range(1, self.size + 1) if n % 10 == 1])
        return 1, sorted(values), len(values), len(values) - spawned


class Eager(Ledger):
    """Has a checkpoint made after every third outcome."""

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        if len(self.told) % 3 == 0:
            master.checkpoint()
        return super().task_finished(master, task, result, error)


def square(number: int) -> int:
    return number**2


def letters(word: str) -> list[tuple[str, int]]:
    return [(letter, 1) for letter in word]


def total(_letter: str, ones: list[int]) -> int:
    return sum(ones)


def add_all(numbers: list[int]) -> int:
    return sum(numbers)


def is_67(number: int) -> bool:
    return number == 67**2


def pyramid() -> TaskGraph:
    """Make a graph of several layers."""
    made = TaskGraph()
    layer = [made.add(square, number) for number in range(16)]
    while len(layer) > 1:
        layer = [
            made.add(add_all, layer[n : n + 2], name=f"sum {n} of {len(layer)}")
            for n in range(0, len(layer), 2)
        ]
    return made


WORDS = ["swarm", "master", "worker", "task", "host", "lease", "fence"] * 6
COUNTS = {letter: "".join(WORDS).count(letter) for letter in set("".join(WORDS))}
SYSTEMS: dict[str, tuple[Callable[[], TaskSystem], Any]] = {
    "Ledger": (lambda: Ledger(40), Ledger(40).expected()),
    "Eager": (lambda: Eager(20), Ledger(20).expected()),
    "Farm": (lambda: Farm(square, range(60)), [n**2 for n in range(60)]),
    "Farm, folding": (
        lambda: Farm(square, range(60), combine=lambda total, one: total + one),
        sum(n**2 for n in range(60)),
    ),
    "MapReduce": (lambda: MapReduce(letters, total, WORDS, chunk=2), COUNTS),
    "Search": (lambda: Search(square, is_67, inputs=range(60, 120)), 67**2),
    "TaskGraph": (pyramid, {"sum 0 of 2": sum(n**2 for n in range(16))}),
}


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no code travel: all of it is in this process."""
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_host_may_die_at_any_moment(name: str, pattern: str) -> None:
    make, expected = SYSTEMS[name]
    undisturbed = Stage(make(), pattern)
    assert undisturbed.finish() == expected
    assert undisturbed.hosts.begun == 1
    restored = 0
    for moment in range(PATTERNS.index(pattern), undisturbed.steps, STRIDE):
        stage = Stage(make(), pattern)
        stage.step(moment)
        killed = stage.hosts.kill()
        assert stage.finish() == expected, f"killed at step {moment}"
        assert stage.hosts.begun == 1 + killed
        restored += bool(stage.log("goes on from its last checkpoint"))
    assert restored, "no death came after a checkpoint"
