"""Task systems on a cluster: control logic that decides on the master's side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import Farm, MapReduce, Search, TaskGraph, TaskSystem
from tests.cluster.applications import Recorder
from tests.cluster.tasks import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from concurrent_framework import SystemMaster, Task, TaskError
    from tests.cluster.swarm import Swarm


class Works(Recorder):
    """Runs one task system."""

    abstract = True

    def __init__(self, system: TaskSystem) -> None:
        super().__init__()
        self.system = system
        self.ended: list[tuple[Any, Any, TaskError | None]] = []
        self.notes: list[tuple[float, float, str]] = []

    def get_task_system(self) -> TaskSystem:
        return self.system

    def work_finished(self, result: Any, task_system: Any) -> None:
        self.ended.append((task_system, result, None))

    def work_failed(self, error: TaskError, task_system: Any) -> None:
        self.ended.append((task_system, None, error))

    def system_progress(self, done: float, total: float, message: str) -> None:
        self.notes.append((done, total, message))


class Halving(TaskSystem):
    """Adaptive: each round's tasks depend on the results of the round before."""

    def __init__(self, start: int) -> None:
        self.number = start
        self.made_in = os.getpid()
        self.decided_in = 0
        self.rounds = 0

    def init_system(self, master: SystemMaster) -> None:
        self.decided_in = os.getpid()
        master.log.info("there are %d executors at %d worker", master.executors, master.workers)

    def generate_tasks(self, master: SystemMaster) -> list[Task]:
        return [Call("add", self.number, 0)]

    def task_finished(
        self, master: SystemMaster, task: Any, result: Any, error: TaskError | None
    ) -> Task | None:
        assert task.slave_id == "w1"
        self.rounds += 1
        master.progress(self.rounds, 7, f"at {result}")
        print("round", self.rounds)
        self.number = result // 2
        return Call("add", self.number, 0) if self.number else None

    def is_complete(self, master: SystemMaster) -> bool:
        return self.number == 0

    def gather_result(self, master: SystemMaster) -> tuple[int, int, int]:
        return self.rounds, master.stats.finished, master.outstanding


class Endless(TaskSystem):
    """Draws from an endless generator until it has enough."""

    def __init__(self) -> None:
        self.ended = 0
        self.ahead = 0

    def generate_tasks(self, master: SystemMaster) -> Iterator[Task]:
        drawn = 0
        while True:
            drawn += 1
            self.ahead = max(self.ahead, drawn - self.ended)
            yield Call("add", drawn, 0)

    async def task_finished(
        self, master: SystemMaster, task: Any, result: Any, error: TaskError | None
    ) -> None:
        self.ended += error is None

    async def is_complete(self, master: SystemMaster) -> bool:
        return self.ended >= 3000

    def gather_result(self, master: SystemMaster) -> int:
        return self.ahead


class Breaks(TaskSystem):
    def generate_tasks(self, master: SystemMaster) -> list[Task]:
        return [Call("add", 1, 1)]

    def task_finished(
        self, master: SystemMaster, task: Any, result: Any, error: TaskError | None
    ) -> None:
        raise LookupError("decided badly")


class Vanishes(TaskSystem):
    def generate_tasks(self, master: SystemMaster) -> list[Task]:
        os._exit(9)


class Stuck(TaskSystem):
    def is_complete(self, master: SystemMaster) -> bool:
        return False


def letters(word: str) -> list[tuple[str, int]]:
    return [(letter, 1) for letter in word]


def total(_letter: str, ones: list[int]) -> int:
    return sum(ones)


def square(number: int) -> int:
    return number**2


def hit(numbers: range) -> int | None:
    return 617 if 617 in numbers else None


def add_all(numbers: list[int]) -> int:
    return sum(numbers)


def graph() -> TaskGraph:
    made = TaskGraph()
    made.add(add_all, [made.add(square, number) for number in range(4)], name="sum")
    return made


def test_a_system_decides_on_the_masters_side(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    system = Halving(100)
    app = swarm.run(Works(system))
    assert app.exit_code == 0
    [(told, result, error)] = app.ended
    assert error is None
    assert told is system
    assert result == (7, 7, 0)
    assert (system.rounds, system.number, system.made_in) == (7, 0, os.getpid())
    assert system.decided_in not in {0, os.getpid(), swarm.master.pid}
    assert app.notes[-1] == (7, 7, "at 1")
    assert app.told == [], "its tasks are the system's business"
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "Halving | there are 2 executors at 1 worker"
    assert shown[1:] == [f"Halving | round {n}" for n in range(1, 8)]


def test_an_endless_generator_of_a_system_is_drawn_no_further_than_the_window(
    swarm: Swarm,
) -> None:
    [(_, ahead, error)] = swarm.run(Works(Endless())).ended
    assert error is None
    assert 0 < ahead <= 500


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Farm(square, range(300)), [n**2 for n in range(300)]),
        (lambda: Farm([Call("add", n, 1) for n in range(9)]), list(range(1, 10))),
        (lambda: MapReduce(letters, total, ["abc", "ab"]), {"a": 2, "b": 2, "c": 1}),
        (lambda: Search(hit, inputs=[range(n, n + 10) for n in range(0, 9000, 10)]), 617),
        (graph, {"sum": 14}),
    ],
    ids=["Farm of a function", "Farm of tasks", "MapReduce", "Search", "TaskGraph"],
)
def test_ready_made_systems(swarm: Swarm, make: Callable[[], TaskSystem], expected: object) -> None:
    [(_, result, error)] = swarm.run(Works(make())).ended
    assert error is None
    assert result == expected


@pytest.mark.parametrize(
    ("system", "type_name", "message"),
    [
        (Breaks(), "LookupError", "decided badly"),
        (Farm([Call("boom", "what a pity")]), "ValueError", "what a pity"),
        (Vanishes(), "", "exit code 9"),
        (Stuck(), "SystemStuckError", "is stuck"),
    ],
    ids=["raises", "a task fails", "its process ends", "waits for nothing"],
)
def test_why_a_system_failed_is_told_once(
    swarm: Swarm, system: TaskSystem, type_name: str, message: str
) -> None:
    app = swarm.run(Works(system))
    [(told, _, error)] = app.ended
    assert told is system
    assert error is not None
    assert type_name in error.type
    assert message in error.message
    assert swarm.run(Recorder([Call("add", 1, 1)])).results() == [2]


def test_several_systems_and_tasks_at_a_time(swarm: Swarm) -> None:
    class Several(Works):
        abstract = True

        def start_processing(self) -> None:
            self.push_tasksystem(Farm(square, range(50)))
            self.push_tasks([Call("add", n, n) for n in range(50)])

    app = swarm.run(Several(Halving(1000)))
    results = {type(system).__name__: result for system, result, _ in app.ended}
    assert results == {"Halving": (10, 10, 0), "Farm": [n**2 for n in range(50)]}
    assert len(app.told) == 50


def test_a_system_is_cancelled(swarm: Swarm) -> None:
    class Cancels(Works):
        abstract = True

        def push_tasksystem_response(self, result: Any) -> None:
            self.cancel(self.system)

    app = swarm.run(Cancels(Farm([Call("wait_for", "/nowhere") for _ in range(4)])))
    [(_, _, error)] = app.ended
    assert error is not None
    assert error.kind == "cancelled"
    assert swarm.run(Recorder([Call("add", 1, 1)])).results() == [2]
