"""Task systems whose host is killed at every moment there is: the result is what it would have been."""

from __future__ import annotations

import random
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import (
    Farm,
    MapReduce,
    Search,
    Task,
    TaskGraph,
    TaskSystem,
    WorkerLost,
    current_task,
)
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.network import Faults
from tests.simulation.hosted import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATTERNS = ["push", "pull"]
STRIDE = 13
"""Every which step of a run is tried as the moment of a death."""


class Give(Task):
    """Returns its value; makes tasks itself, down to a depth."""

    def __init__(self, value: int, depth: int = 0, seconds: float | None = None) -> None:
        super().__init__(f"give {value}")
        self.value = value
        self.depth = depth
        self.seconds = seconds

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
    layer = [made.add(square, number) for number in range(8)]
    while len(layer) > 1:
        layer = [
            made.add(add_all, layer[n : n + 2], name=f"sum {n} of {len(layer)}")
            for n in range(0, len(layer), 2)
        ]
    return made


WORDS = ["swarm", "master", "worker", "task", "host", "lease", "fence"] * 3
COUNTS = {letter: "".join(WORDS).count(letter) for letter in set("".join(WORDS))}
SYSTEMS: dict[str, tuple[Callable[[], TaskSystem], Any]] = {
    "Ledger": (lambda: Ledger(12), Ledger(12).expected()),
    "Eager": (lambda: Eager(12), Ledger(12).expected()),
    "Farm": (lambda: Farm(square, range(24)), [n**2 for n in range(24)]),
    "Farm, folding": (
        lambda: Farm(square, range(24), combine=lambda total, one: total + one),
        sum(n**2 for n in range(24)),
    ),
    "MapReduce": (lambda: MapReduce(letters, total, WORDS, chunk=2), COUNTS),
    "Search": (lambda: Search(square, is_67, inputs=range(50, 90)), 67**2),
    "TaskGraph": (pyramid, {"sum 0 of 2": sum(n**2 for n in range(8))}),
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


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_master_may_die_at_any_moment(name: str, pattern: str) -> None:
    make, expected = SYSTEMS[name]
    undisturbed = Stage(make(), pattern, disk=SimDisk(spare=0, step=500))
    assert undisturbed.finish() == expected
    restored = 0
    for moment in range(40 + PATTERNS.index(pattern), undisturbed.steps, 3 * STRIDE):
        stage = Stage(make(), pattern, disk=SimDisk(spare=0, step=500))
        stage.step(moment)
        stage.restart_master()
        assert stage.finish() == expected, f"killed at step {moment}"
        restored += bool(stage.log("goes on from its last checkpoint"))
    assert restored, "no death came after a checkpoint"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", SYSTEMS)
def test_masters_hosts_and_workers_die(name: str, seed: int) -> None:
    make, expected = SYSTEMS[name]
    chance = random.Random(seed)
    disk = SimDisk(spare=chance.choice([0, 2000]), step=chance.choice([300, 3000]))
    stage = Stage(make(), PATTERNS[seed % 2], seed, disk=disk)
    acts = [*[stage.restart_master] * 4, *[stage.hosts.kill] * 2, stage.change_workers]
    chance.shuffle(acts)
    for act in acts:
        stage.step(chance.randint(30, 240))
        if act == stage.restart_master and chance.random() < 0.5:
            disk.crash_in(chance.randint(1, 40))  # also between two commands of a round
            stage.step(chance.randint(1, 60))
        act()
    if not stage.cluster.alive:
        stage.restart_master()
    disk.countdown = 0
    stage.cluster.run()
    failure = stage.ended.failure
    if failure is None:
        assert stage.finish() == expected
    else:
        assert "died 3 times without progress" in failure.message


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", SYSTEMS)
def test_hosts_and_workers_die_and_messages_are_lost(name: str, seed: int) -> None:
    make, expected = SYSTEMS[name]
    chance = random.Random(seed)
    faults = Faults(seed, loss=0.02, duplication=0.02, jitter=0.001 if seed % 2 else 0.0)
    stage = Stage(make(), PATTERNS[seed % 2], seed, faults)
    acts = [*[stage.hosts.kill] * 8, *[stage.change_workers] * 2]  # a task has three attempts
    chance.shuffle(acts)
    for act in acts:
        stage.step(chance.randint(60, 240))
        act()
    faults.loss = faults.duplication = faults.jitter = 0.0
    stage.cluster.run()
    failure = stage.ended.failure
    if failure is None:
        assert stage.finish() == expected
    else:
        assert "died 3 times without progress" in failure.message
        assert stage.hosts.begun >= 3


class Growing(TaskSystem):
    """Four long tasks, and a short one that another long one follows."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def generate_tasks(self, master: Any) -> list[Task]:
        return [*(Give(n, seconds=5) for n in range(1, 5)), Give(5, seconds=0.6)]

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        self.told.append(result)
        return Give(6, seconds=5) if result == 5 else None

    def gather_result(self, master: Any) -> Any:
        return self.told


def test_running_tasks_go_on_undisturbed_and_later_ones_are_rolled_back() -> None:
    stage = Stage(Growing())
    stage.until(0.9)
    assert stage.tasks.counted_on == 5
    assert stage.tasks.accepted == 6
    assert len(stage.tasks.unabsorbed) == 1
    stage.hosts.kill()
    assert stage.finish() == [5, 1, 2, 3, 4, 6]
    assert stage.starts() == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (6, 1)]
    assert stage.cluster.master.state.stale == 1, "what came of the task that was rolled back"
    assert stage.log("1 later tasks are rolled back, 1 outcomes are delivered again")
    assert 5.5 < stage.cluster.clock.now - 20 < 6.5


def test_outcomes_that_no_checkpoint_counts_on_are_not_kept() -> None:
    stage = Stage(Farm(square, range(200)), window=10)
    most = 0
    while stage.step():
        kept = [len(one.unabsorbed) for one in stage.cluster.master.state.applications.values()]
        most = max(most, *kept)
    assert 0 < most <= 10
    assert stage.finish() == [n**2 for n in range(200)]


def test_progress_makes_up_for_deaths() -> None:
    stage = Stage(Eager(150))
    for _ in range(10):
        stage.until(stage.cluster.clock.now + 0.7)
        assert stage.hosts.kill()
    assert stage.finish() == Ledger(150).expected()
    assert stage.hosts.begun == 11


class Bites(TaskSystem):
    """Kills its host at the fifth outcome, every time."""

    def __init__(self) -> None:
        self.told = 0

    def generate_tasks(self, master: Any) -> Iterator[Task]:
        return (Give(n) for n in range(40))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        self.told += 1
        if self.told == 5:
            raise BiteError
        master.checkpoint()


class BiteError(BaseException):
    pass


def test_a_system_that_kills_every_host_is_given_up() -> None:
    stage = Stage(Bites())
    for _ in range(3):
        with pytest.raises(BiteError):
            stage.finish()
        stage.hosts.kill()
    with pytest.raises(WorkerLost, match=r"died 3 times without progress, last with signal 9"):
        stage.finish()


class Locked(Ledger):
    """Holds something that cannot be pickled, from some moment on."""

    def __init__(self, size: int, after: int) -> None:
        super().__init__(size)
        self.after = after

    def init_system(self, master: Any) -> None:
        super().init_system(master)
        if not self.after:
            self.lock = threading.Lock()

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        if len(self.told) == self.after:
            self.lock = threading.Lock()
        return super().task_finished(master, task, result, error)

    def gather_result(self, master: Any) -> Any:
        del self.lock
        return super().gather_result(master)


@pytest.mark.parametrize(("after", "where"), [(0, "its beginning"), (30, "its last checkpoint")])
def test_what_cannot_be_pickled_is_named_once(after: int, where: str) -> None:
    stage = Stage(Locked(100, after))
    stage.until(4)
    [warning] = stage.shown("warning")
    assert (
        f"no checkpoint can be made of Locked, so after a crash it goes on from {where}" in warning
    )
    assert "attribute lock" in warning
    assert stage.hosts.kill()
    assert stage.finish() == Ledger(100).expected()
    assert bool(stage.log("goes on from its last checkpoint")) == bool(after)
    first, second = stage.shown("warning")
    assert first == second == warning, "each host says it once"


class Beside(TaskSystem):
    """Pushes a generator in `task_finished`: only its own frame knows how far it is."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.told: list[int] = []

    def generate_tasks(self, master: Any) -> Iterator[Task]:
        return (Give(n, seconds=0.5) for n in range(0, -60, -1))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        self.told.append(result)
        if result == 0:
            master.push_tasks(Give(n, seconds=0.5) for n in range(1, self.size))

    def is_complete(self, master: Any) -> bool:
        return set(self.told) >= set(range(-59, min(self.size, 100)))

    def gather_result(self, master: Any) -> Any:
        return self.told


@pytest.mark.parametrize(("size", "whole"), [(100, True), (10**9, False)])
def test_a_generator_that_cannot_be_called_again_is_taken_whole_or_waited_for(
    size: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("concurrent_framework.application.pushing.DRAW_TASKS", 200)
    stage = Stage(Beside(size))
    stage.until(4.0)
    assert (stage.tasks.counted_on > 12) == whole
    stage.hosts.kill()
    told = stage.finish()
    assert set(told) >= set(range(-59, 100))
    assert len(told) == len(set(told))
    assert len(told) < 500


class Resumes(TaskSystem):
    """Finds its place in an endless sequence by itself."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.resumed: list[int] = []

    async def generate_tasks(self, master: Any) -> Any:
        return (Give(n) for n in count())

    async def resume_tasks(self, master: Any, drawn: int) -> Any:
        self.resumed.append(drawn)
        return (Give(n) for n in count(drawn))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        self.told.append(result)

    def is_complete(self, master: Any) -> bool:
        return len(self.told) >= 60

    def gather_result(self, master: Any) -> Any:
        return self.told, self.resumed


class Repeats(Resumes):
    """Does not say how it resumes."""

    resume_tasks = TaskSystem.resume_tasks


@pytest.mark.parametrize("kind", [Resumes, Repeats])
def test_an_endless_sequence_goes_on_where_it_was(kind: type[Resumes]) -> None:
    stage = Stage(kind())
    stage.until(2.5)
    stage.hosts.kill()
    told, resumed = stage.finish()
    assert len(told) == len(set(told))
    assert max(told) < 60 + 12, "nothing was left out"
    assert [0 < drawn < 60 for drawn in resumed] == ([True] if kind is Resumes else [])


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_process_that_takes_over_an_application_does_not_wait_for_children_twice(
    pattern: str,
) -> None:
    """What an outcome will tell of must not be counted before that is told."""
    stage = Stage(Ledger(1), pattern)
    stage.until(1.0)
    stage.hosts.kill()
    assert stage.finish() == Ledger(1).expected()
