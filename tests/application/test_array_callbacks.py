"""What an application is told of its arrays, against a master in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import ApplicationNode, IApp, TaskArray, TaskError, implements
from concurrent_framework.application.classes import ForeignClasses
from concurrent_framework.model.ids import FIRST_SPAWNED, task_key
from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.tasks.arrays import Block
from concurrent_framework.tasks.current import CurrentTask, running
from concurrent_framework.tasks.payload import dump_items, dump_result, dump_state, load_task
from tests.application.fake_master import NUMBER, FakeMaster
from tests.application.sample import run
from tests.tasks.test_arrays import Sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from concurrent_framework.protocol.tasks import NewTask


class ArrayMaster(FakeMaster):
    """Runs tasks whose classes have travelled by value, as a worker does."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(**options)
        # In this process the modules of the tests are there already.
        self.classes = ForeignClasses(folder, own_first=True)

    def usual(self, message: Any) -> list[Any]:
        if isinstance(message, app.Define):
            self.classes.learn(message.specs, message.codes)
        return super().usual(message)

    def run_task(self, key: int, row: NewTask) -> Outcome:
        cls: Any = self.classes.task_class(row.spec)
        task = load_task(cls, row.payload)  # type: ignore[arg-type]
        with running(CurrentTask(Sink())):
            return Outcome(key, 1, dump_result(task()), seconds=0.001, worker=1)


@pytest.fixture
def master(tmp_path: Path) -> ArrayMaster:
    return ArrayMaster(tmp_path)


def halve(number: int) -> float:
    return 12 / number


class Defaults(ApplicationNode):
    """Leaves everything to the defaults."""

    implements(IApp)

    def start_processing(self) -> None:
        self.push_map(halve, [1, 2, 0, 4])


def test_the_defaults_log_each_item_and_count_failures(
    master: ArrayMaster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Defaults(), master) == 1
    out, err = capsys.readouterr()
    assert sorted(out.splitlines()) == ["halve[0]: 12.0", "halve[1]: 6.0", "halve[3]: 3.0"]
    assert err.startswith("error: halve[2]: ZeroDivisionError: division by zero")


class Many(ApplicationNode):
    implements(IApp)

    def start_processing(self) -> None:
        self.push_map(abs, range(5000))


def test_of_many_results_the_defaults_log_the_number(
    master: ArrayMaster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Many(), master) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 500
    assert any(line.startswith("abs[") and line.endswith(" results") for line in lines)


class Waits(ApplicationNode):
    """Has asynchronous callbacks, and pushes one array after the other."""

    implements(IApp)

    def start_processing(self) -> None:
        self.told: list[Any] = []
        self.push_map(halve, [1, 2], name="first", collect=True)

    async def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        self.told += [(array.name, at) for at in range(first, first + len(results))]

    async def array_finished(self, array: TaskArray) -> None:
        self.told.append((array.name, array.results))
        if array.name == "first":
            self.push_map(halve, iter([3]), name="second", collect=True)


def test_callbacks_may_be_asynchronous_and_push_more(master: ArrayMaster) -> None:
    app = Waits()
    assert run(app, master) == 0
    assert app.told == [
        ("first", 0),
        ("first", 1),
        ("first", [12.0, 6.0]),
        ("second", 0),
        ("second", [4.0]),
    ]


class Keeps(ApplicationNode):
    """Keeps what it is told."""

    abstract = True
    implements(IApp)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        self.__dict__.setdefault("told", []).append((array, first, results))

    def array_finished(self, array: TaskArray) -> None:
        self.__dict__.setdefault("ends", []).append(array)


class Refused(Keeps):
    implements(IApp)

    def start_processing(self) -> None:
        self.array = self.push_map(halve, [1, 2, 3])


def test_what_the_master_does_not_take_is_an_error_of_its_items(tmp_path: Path) -> None:
    def refuse(master: FakeMaster, message: Any) -> list[Any] | None:
        if not isinstance(message, app.Submit):
            return None
        master.accepted += len(message.tasks)
        failure = Failure("failed", "Full", "the disk is full")
        return [
            app.Rejected(message.first, len(message.tasks), failure),
            app.Accepted(master.accepted),
        ]

    node: Any = Refused()
    run(node, ArrayMaster(tmp_path, answer=refuse))
    assert sorted(first for _, first, _ in node.told) == [0, 1, 2]
    errors = [one for _, _, results in node.told for one in results]
    assert all(isinstance(one, TaskError) and one.type == "Full" for one in errors)
    assert node.ends == [node.array]


class Endless(Keeps):
    implements(IApp)

    def start_processing(self) -> None:
        def numbers() -> Iterator[int]:
            number = 1
            while True:
                yield number
                number += 1

        self.array = self.push_map(halve, numbers())

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        super().map_finished(array, first, results)
        if array.ended > 100:
            self.cancel(array)


def test_a_cancelled_array_is_drawn_no_further_and_finishes(master: ArrayMaster) -> None:
    node: Any = Endless()
    assert run(node, master) == 0
    assert node.ends == [node.array]
    assert node.array.cancelled
    [specs] = [message.specs for message in master.of(app.CancelTasks) if message.specs]
    assert len(specs) == 1


class Takes(Keeps):
    """Takes over what another process of the application has pushed."""

    implements(IApp)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:
        super().map_finished(array, first, results)
        self.shutdown_main_loop()


def test_a_new_process_is_told_of_the_items_of_an_earlier_one(tmp_path: Path) -> None:
    first = ArrayMaster(tmp_path / "first")
    run(Many(), first)
    [define] = [message for message in first.of(app.Define) if message.specs]
    cls: Any = first.classes.task_class(define.specs[0].number)
    row = first.of(app.Submit)[0].tasks[0]
    row.payload = dump_state(cls(40, [Block(dump_items([-1, -2], 40, "abs"), 0, 2)]))
    row.spec = define.specs[0].number

    def again(master: Any, message: Any) -> list[Any] | None:
        if not isinstance(message, greet.Hello):
            return None
        key = task_key(NUMBER, FIRST_SPAWNED)
        outcome = first.run_task(key, row)
        job = app.HostJob(None, define.specs, define.codes)
        return [
            master.welcome(accepted=7, unfinished=1),
            job,
            *master.deliver([outcome], {0: row}),
        ]

    node: Any = Takes()
    run(node, ArrayMaster(tmp_path / "second", answer=again))
    [(array, at, results)] = node.told
    assert (array.name, at, results) == ("abs", 40, [1, 2])
