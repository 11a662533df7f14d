"""Arrays on real workers: each item is told exactly once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrent_framework import ApplicationNode, IApp, Resources, TaskError, TaskSystem, implements

if TYPE_CHECKING:
    from concurrent_framework import SystemMaster, TaskArray
    from tests.cluster.swarm import Swarm


class Maps(ApplicationNode):
    """Pushes one array and keeps what it is told."""

    abstract = True
    implements(IApp)
    exit_code = -1

    def __init__(self, function: Any, items: Any, **options: Any) -> None:
        self.function, self.items, self.options = function, items, options
        self.times: Counter[int] = Counter()
        self.results: dict[int, Any] = {}
        self.ends: list[TaskArray] = []

    def start_processing(self) -> None:
        self.array = self.push_map(self.function, self.items, **self.options)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        assert array is self.array
        for at, result in enumerate(results, first):
            self.times[at] += 1
            self.results[at] = result

    def array_finished(self, array: TaskArray) -> None:
        self.ends.append(array)

    def check(self, count: int) -> None:
        """Every item was told once, and then the end."""
        assert sorted(self.times) == list(range(count))
        assert set(self.times.values()) <= {1}
        assert self.ends == [self.array]
        assert self.exit_code == 0

    def errors(self) -> list[int]:
        return sorted(at for at, one in self.results.items() if isinstance(one, TaskError))


class Mapping(Maps):
    implements(IApp)


def test_many_small_items(swarm: Swarm) -> None:
    offset = 7
    app = swarm.run(Mapping(lambda number: number + offset, range(100_000), collect=True))
    app.check(100_000)
    assert app.array.results == list(range(7, 100_007))
    # They travelled together.
    assert app.stats.pushed < 1000


def test_a_generator_is_drawn_while_others_run(swarm: Swarm) -> None:
    drawn = []

    def draw() -> Any:
        for number in range(300):
            drawn.append((number, len(app.times)))
            yield number

    app = Mapping(_slowly, draw())
    swarm.run(app)
    app.check(300)
    assert drawn[-1][1] > 100


def _slowly(number: int) -> int:
    time.sleep(0.001)
    return number


def test_an_item_that_raises_or_kills_its_process_fails_alone(swarm: Swarm) -> None:
    def work(number: int) -> float:
        if number == 4321:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1 / (number - 1234)

    app = swarm.run(Mapping(work, range(6000), max_attempts=1))
    app.check(6000)
    assert app.errors() == [1234, 4321]
    assert app.results[1234].type == "ZeroDivisionError"
    assert app.results[1234].certificate.worker == "w1"
    assert app.results[4321].kind == "worker_lost"


def test_an_item_that_takes_too_long_is_stopped_alone(swarm: Swarm) -> None:
    def work(number: int) -> int:
        if number == 500:
            time.sleep(60)
        return number

    app = swarm.run(Mapping(work, range(1000), timeout=0.3))
    app.check(1000)
    assert app.errors() == [500]
    assert app.results[500].kind == "timeout"


def test_a_slice_that_turns_out_long_is_shared_by_all_executors(swarm: Swarm) -> None:
    """After many tiny items come long ones: they do not stay in the slice that has them."""

    def work(number: int) -> tuple[int, float]:
        if number >= 20_000:
            time.sleep(0.03)
        return os.getpid(), time.time()

    app = swarm.run(Mapping(work, range(20_040)))
    app.check(20_040)
    long = [app.results[at] for at in range(20_000, 20_040)]
    by_process = Counter(pid for pid, _ in long)
    assert len(by_process) == 2
    assert min(by_process.values()) >= 10


def test_an_array_is_cancelled_with_what_its_slices_made(swarm: Swarm) -> None:
    def endless() -> Any:
        number = 0
        while True:
            yield number
            number += 1

    class Cancels(Maps):
        implements(IApp)

        def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
            super().map_finished(array, first, results)
            if array.ended > 50_000 and not array.cancelled:
                self.cancel(array)
                self.cancel(array)

    # Slices grow on the tiny items; the long ones make them hand back what is left.
    app = swarm.run(Cancels(_long_from_time_to_time, endless()))
    app.check(app.array.count)
    assert app.array.cancelled
    assert all(app.results[at].kind == "cancelled" for at in app.errors())


def _long_from_time_to_time(number: int) -> int:
    if number % 10_000 == 0:
        time.sleep(0.03)
    return number


def test_nothing_to_do_is_an_end_too(swarm: Swarm) -> None:
    app = swarm.run(Mapping(str, [], collect=True))
    app.check(0)
    assert app.array.results == []


def test_several_arrays_and_tasks_go_on_side_by_side(swarm: Swarm) -> None:
    class Both(ApplicationNode):
        implements(IApp)
        exit_code = -1

        def start_processing(self) -> None:
            self.ended: list[str] = []
            self.push_map(_slowly, range(400), name="slow")
            self.push_map(str, range(1000), name="quick")

        def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
            assert results == [
                at if array.name == "slow" else str(at) for at in range(first, first + len(results))
            ]

        def array_finished(self, array: TaskArray) -> None:
            self.ended.append(array.name)

    assert sorted(swarm.run(Both()).ended) == ["quick", "slow"]


class Sums(TaskSystem):
    """Adds up the results of an array, and then of one more."""

    def init_system(self, master: SystemMaster) -> None:
        self.total = self.arrays = 0

    def generate_tasks(self, master: SystemMaster) -> None:
        master.push_map(lambda number: number * 2, range(10_000))

    def map_finished(
        self, master: SystemMaster, array: TaskArray, first: int, results: list[Any]
    ) -> None:
        self.total += sum(results)

    def array_finished(self, master: SystemMaster, array: TaskArray) -> None:
        self.arrays += 1
        if self.arrays == 1:
            master.push_map(lambda number: -number, range(10), collect=True)
        else:
            assert array.results == [-number for number in range(10)]

    def gather_result(self, master: SystemMaster) -> tuple[int, int]:
        return self.total, self.arrays


def test_a_task_system_pushes_arrays(swarm: Swarm) -> None:
    class App(ApplicationNode):
        implements(IApp)
        exit_code = -1
        result: Any = None

        def get_task_system(self) -> TaskSystem:
            return Sums()

        def work_finished(self, result: Any, task_system: Any) -> None:
            self.result = result

    assert swarm.run(App()).result == (sum(range(0, 20_000, 2)) - 45, 2)


def test_every_item_is_told_once_when_a_worker_is_killed(frail: Swarm, tmp_path: Path) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    first = frail.add_worker("a1", "--label", "a")

    def work(number: int) -> int:
        if number == 30_000:
            Path(begun).touch()
        while number >= 33_000 and not Path(gate).exists():
            time.sleep(0.001)
        return -number

    class Killing(Maps):
        implements(IApp)
        lost = ""

        def start_processing(self) -> None:
            super().start_processing()
            self.killing = asyncio.get_running_loop().create_task(self.kill())

        async def kill(self) -> None:
            while not begun.exists():  # noqa: ASYNC110 (another process tells by a file)
                await asyncio.sleep(0.001)
            first.kill()
            gate.touch()
            frail.start_worker("a2", "--label", "a")

        def node_lost(self, worker: str, tasks: int, reason: str) -> None:
            self.lost = worker

    app = frail.run(Killing(work, range(34_000), resources=Resources(labels=("a",))))
    app.check(34_000)
    assert app.lost == "a1"
    assert [app.results[at] for at in range(34_000)] == [-at for at in range(34_000)]
    frail.end_worker("a2")
