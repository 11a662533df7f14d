"""Shared objects on real workers."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from concurrent_framework import (
    ApplicationNode,
    IApp,
    Resources,
    Task,
    TaskSystem,
    current_task,
    implements,
    task,
)
from tests.cluster.applications import Recorder
from tests.cluster.place import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework import SystemMaster
    from tests.cluster.swarm import Swarm


class Uses(Task):
    """Says what it sees of an object, and where."""

    def __init__(self, **held: Any) -> None:
        super().__init__("uses")
        self.held = held

    def __call__(self) -> Any:
        value = next(iter(self.held.values()))
        if isinstance(value, list) and value and not isinstance(value[0], int):
            value = value[0]
        return os.getpid(), id(value), len(value), value[-1]


class Sharer(Recorder):
    """Pushes what a function makes of it."""

    abstract = True

    def __init__(self, make: Callable[[Sharer], list[Task]]) -> None:
        super().__init__()
        self.make = make

    def start_processing(self) -> None:
        self.tasks = self.make(self)
        super().start_processing()


class Sharing(Sharer):
    implements(IApp)


def test_an_object_is_rebuilt_once_in_each_executor(swarm: Swarm) -> None:
    def make(app: Sharer) -> list[Task]:
        ref = app.share(list(range(100_000)))
        return [Uses(deep=[ref]) if n % 2 else Uses(direct=ref) for n in range(200)]

    app = swarm.run(Sharing(make))
    results: list[Any] = app.results()
    assert {(size, last) for *_, size, last in results} == {(100_000, 99_999)}
    objects = {(pid, identity) for pid, identity, *_ in results}
    assert len(objects) == len({pid for pid, _ in objects}) <= 2
    # The very instances come back, with the references they were pushed with.
    assert all("Shared" in repr(vars(one)["held"]) for one in app.tasks)


def test_arrays_are_used_where_they_lie_and_cannot_be_changed(swarm: Swarm) -> None:
    @task
    def change(array: Any) -> Any:
        assert isinstance(array, np.ndarray)
        try:
            array[0] = 1
        except ValueError as error:
            return str(error), float(array.sum())
        return None

    def make(app: Sharer) -> list[Task]:
        ref: Any = app.share(np.ones(1 << 17))
        return [change(ref) for _ in range(4)]

    assert set(swarm.run(Sharing(make)).results()) == {
        ("assignment destination is read-only", float(1 << 17))
    }


@task
def loaded(*names: str) -> list[str]:
    """Say which modules are loaded before a task needs one."""
    return [name for name in names if name in sys.modules]


def test_executors_have_what_their_worker_has_imported(make_swarm: Callable[..., Swarm]) -> None:
    swarm = make_swarm()
    swarm.add_worker("warm", "--set", "worker.preload=colorsys,not_installed")
    app = swarm.run(Sharing(lambda _: [loaded("colorsys", "chunk", "not_installed")]))
    assert app.results() == [["colorsys"]]
    swarm.stop()


def test_objects_larger_than_the_cache_come_and_go(make_swarm: Callable[..., Swarm]) -> None:
    swarm = make_swarm()
    swarm.add_worker("tiny", "--set", "worker.cache_bytes=150000")

    def make(app: Sharer) -> list[Task]:
        refs = [app.share(bytes([number]) * 100_000) for number in range(5)]
        return [Uses(value=refs[number % 5]) for number in range(100)]

    app = swarm.run(Sharing(make))
    assert [last for *_, last in app.results()] == [number % 5 for number in range(100)]
    swarm.stop()


def test_functions_of_arrays_and_what_they_make_use_shared_objects(swarm: Swarm) -> None:
    class Maps(ApplicationNode):
        implements(IApp)
        exit_code = -1

        def start_processing(self) -> None:
            table: Any = self.share([number * 3 for number in range(5000)])
            other: Any = self.share({"offset": 5})
            self.array = self.push_map(
                lambda item: table[item[0]] + item[1]["offset"],
                ((number, other) for number in range(5000)),
                collect=True,
            )

    app = swarm.run(Maps())
    assert app.array.results == [number * 3 + 5 for number in range(5000)]
    assert app.exit_code == 0


def test_slices_are_divided_whichever_of_their_items_refer_to_what(swarm: Swarm) -> None:
    """The parts of a slice need other objects than the slice, and belong to its array still."""

    class Maps(ApplicationNode):
        implements(IApp)
        exit_code = -1
        ended = 0

        def start_processing(self) -> None:
            refs = [self.share([number] * 1000) for number in range(5)]

            def items() -> Any:
                for number in range(42_000):
                    yield number, refs[number // 700 % 5]

            self.array = self.push_map(_first_of, items(), collect=True)

        def array_finished(self, array: Any) -> None:
            assert array is self.array
            self.ended += 1

    app = swarm.run(Maps())
    assert (app.ended, app.exit_code) == (1, 0)
    assert app.array.results == [number // 700 % 5 for number in range(42_000)]


def _first_of(item: Any) -> int:
    number, data = item
    if number >= 40_000:
        time.sleep(0.0005)
    return int(data[0])


class Spawns(Task):
    """Makes further tasks with what was shared."""

    def __init__(self, data: Any, depth: int) -> None:
        self.data = data
        self.depth = depth

    def __call__(self) -> int:
        if self.depth:
            for _ in range(2):
                current_task().push_task(Spawns(self.data, self.depth - 1))
        return len(self.data)


def test_tasks_that_tasks_make_have_the_object(swarm: Swarm) -> None:
    app = swarm.run(Sharing(lambda app: [Spawns(app.share("x" * 1000), 2)]))
    assert Counter(one.result for one in app.told) == {1000: 7}


class Sums(TaskSystem):
    """Uses an object that the application shared, and one of its own."""

    def __init__(self, ref: Any) -> None:
        self.ref = ref
        self.total = 0

    def generate_tasks(self, master: SystemMaster) -> list[Task]:
        own = master.share([1] * 10)
        return [Uses(theirs=self.ref), Uses(own=own)]

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        assert error is None, error
        self.total += result[2]

    def gather_result(self, master: SystemMaster) -> int:
        return self.total


def test_a_task_system_has_references_and_makes_them(swarm: Swarm) -> None:
    class App(ApplicationNode):
        implements(IApp)
        exit_code = -1
        result: Any = None

        def get_task_system(self) -> TaskSystem:
            return Sums(self.share(list(range(1000))))

        def work_finished(self, result: Any, task_system: Any) -> None:
            self.result = result

    assert swarm.run(App()).result == 1010


def test_nothing_is_left_of_an_application_that_has_ended(make_swarm: Callable[..., Swarm]) -> None:
    swarm = make_swarm()
    swarm.add_worker("w")
    swarm.run(Sharing(lambda app: [Uses(value=app.share(bytes(200_000)))]))
    until(lambda: not list(swarm.place.root.rglob("data/*")))
    swarm.stop()


def test_what_was_released_is_refused(swarm: Swarm) -> None:
    def make(app: Sharer) -> list[Task]:
        ref = app.share([1])
        ref.release()
        return [Uses(value=ref)]

    app = Sharing(make)
    swarm.run(app)
    assert app.exit_code == 1


def test_an_object_survives_its_worker(frail: Swarm) -> None:
    """The worker that has the only copy is killed: the master sends it to the next."""
    first = frail.add_worker("b1", "--label", "b")

    class Kills(Sharer):
        implements(IApp)

        def task_finished(self, task: Any, result: Any, error: Any) -> None:
            super().task_finished(task, result, error)
            if len(self.told) == 1:
                first.kill()
                frail.start_worker("b2", "--label", "b")

    def make(app: Sharer) -> list[Task]:
        ref = app.share(list(range(1000)))
        tasks: list[Task] = [Uses(value=ref) for _ in range(300)]
        for one in tasks:
            one.resources = Resources(labels=("b",))
        return tasks

    app = frail.run(Kills(make))
    assert {size for *_, size, _ in app.results()} == {1000}
    assert {one.task.slave_id for one in app.told} <= {"b1", "b2"}
    frail.end_worker("b2")


@pytest.mark.parametrize("size", [70_000, 3_000_000])
def test_large_arguments_and_results_come_back_as_they_went(swarm: Swarm, size: int) -> None:
    @task
    def turn(data: bytes) -> bytes:
        return data[::-1]

    datas = [os.urandom(size) for _ in range(8)]
    app = swarm.run(Sharing(lambda _: [turn(data) for data in datas]))
    assert app.results() == [data[::-1] for data in datas]


def test_shared_objects_and_arrays_survive_the_master(make_swarm: Callable[..., Swarm]) -> None:
    swarm = make_swarm()
    swarm.add_worker("w1")

    class Mapping(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            table: Any = self.share([number * 3 for number in range(600)])
            self.items: list[int] = []
            self.array = self.push_map(
                _third_of, ((table, number) for number in range(600)), collect=True
            )

        def map_finished(self, array: Any, first: int, results: list[Any]) -> None:
            before = len(self.items)
            self.items += range(first, first + len(results))
            if before < 200 <= len(self.items):
                swarm.kill_master()
                swarm.start_master()
                swarm.add_worker("w2")

        def array_finished(self, array: Any) -> None:
            self.finished = True

    app = swarm.run(Mapping())
    assert app.exit_code == 0
    assert app.finished
    assert sorted(app.items) == list(range(600))
    assert app.array.results == [number * 3 for number in range(600)]
    swarm.stop()


def _third_of(item: Any) -> int:
    table, number = item
    time.sleep(0.005)
    return int(table[number])
