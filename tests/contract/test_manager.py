"""What every task manager promises, wherever it runs tasks."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_example_plugins.threads import ThreadManager
from concurrent_framework.managers.processes import ProcessManager
from concurrent_framework.tasks.payload import apply_changes, load_result
from concurrent_framework.tasks.pickling import CompressedPickler, dump_state_by, pickler_of
from tests.managers.drive import Driver
from tests.managers.sample_tasks import Call, Changes, FailsAfterChange, Parent, Slotted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANAGERS = {"processes": ProcessManager, "threads": ThreadManager}


@pytest.fixture(params=MANAGERS)
def driver(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driver]:
    monkeypatch.chdir(tmp_path)  # a task in a thread may go elsewhere and take us along
    directory = tmp_path / "worker"
    directory.mkdir()
    driver = Driver(directory, kind=MANAGERS[request.param])
    yield driver
    driver.close()


@pytest.fixture
def busy(driver: Driver, tmp_path: Path) -> Iterator[list[int]]:
    """Return tasks that occupy everything there is, until the test is over."""
    end = tmp_path / "end"
    count = driver.capacity.executors
    begun = [tmp_path / f"begun-{n}" for n in range(count)]
    keys = driver.push(*(Call("touch_and_wait", str(path), str(end)) for path in begun))
    while not all(path.exists() for path in begun):
        driver.turn(time.monotonic() + 0.01)  # a file tells nobody that it is there
    yield keys
    end.touch()


def test_what_it_offers(driver: Driver) -> None:
    assert driver.capacity.executors == 2


def test_each_task_is_reported_once(driver: Driver) -> None:
    assert driver.run(*(Call("add", n, 1) for n in range(500))) == list(range(1, 501))
    assert set(driver.reported.values()) == {1}


def test_it_knows_its_number_and_worker_and_its_changes_come_back(driver: Driver) -> None:
    task = Changes()
    task.client_id = "c"
    (outcome,) = driver.wait(driver.push(task))
    assert load_result(outcome.result) == (1, "w1", "c")  # type: ignore[arg-type]
    apply_changes(task, outcome.changes)  # type: ignore[arg-type]
    assert (task.found, task.data, task.kept) == (5, "", [1])


def test_classes_with_slots(driver: Driver) -> None:
    task = Slotted(4)
    (outcome,) = driver.wait(driver.push(task))
    apply_changes(task, outcome.changes)  # type: ignore[arg-type]
    assert task.x == 5


def test_what_comes_back_is_made_by_the_pickler_that_made_the_state(driver: Driver) -> None:
    tasks = [Changes(), Parent(2)]
    rows = driver.rows(tasks, 1, {})
    for row, task in zip(rows, tasks, strict=True):
        task.client_id = "c"
        row.payload = dump_state_by(CompressedPickler(), task)
    driver.manager.submit(rows, time.monotonic())
    changes, parent = driver.wait([row.key for row in rows])
    assert load_result(changes.result) == (1, "w1", "c")  # type: ignore[arg-type]
    made = [
        changes.result,
        changes.changes,
        parent.result,
        *(one.payload for one in parent.spawned),
    ]
    assert {type(pickler_of(one)) for one in made} == {CompressedPickler}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "kind", "type_name"),
    [
        (Call("boom", "a pity"), "failed", "ValueError"),
        (Call("leave", 3), "failed", "SystemExit"),
        (Call("unpicklable"), "not_serializable", "NotSerializable"),
    ],
)
def test_what_fails_is_told(driver: Driver, task: Call, kind: str, type_name: str) -> None:
    failure = driver.fail(task)
    assert (failure.kind, failure.type) == (kind, type_name)
    assert failure.certificate.worker == "w1"
    assert driver.run(Call("add", 1, 1)) == [2]


def test_changes_of_a_task_that_failed_come_back(driver: Driver) -> None:
    task = FailsAfterChange()
    (outcome,) = driver.wait(driver.push(task))
    apply_changes(task, outcome.changes)  # type: ignore[arg-type]
    assert task.progressed == 7


def test_tasks_make_tasks(driver: Driver) -> None:
    (outcome,) = driver.wait(driver.push(Parent(3)))
    assert len(outcome.spawned) == 4
    assert driver.fail(Parent(3, fail=True)).type == "ValueError"


def test_what_has_run_out_of_time_is_given_up(driver: Driver, tmp_path: Path) -> None:
    failure = driver.fail(Call("wait", str(tmp_path / "end")), timeout=0.1)
    assert failure.kind == "timeout"
    (tmp_path / "end").touch()
    assert driver.run(Call("add", 1, 1), timeout=5.0) == [2]


def test_what_waits_can_be_recalled_and_is_not_reported(driver: Driver, busy: list[int]) -> None:
    waiting = driver.push(*(Call("add", n, n) for n in range(10)))
    back = driver.recall(4)
    assert len(back) == 4
    assert set(back) <= set(waiting)
    assert driver.recall(100) != []
    assert not set(driver.recall(100)) & set(busy)
    assert not set(back) & set(driver.outcomes)


def test_what_is_cancelled_is_reported_so_running_or_not(driver: Driver, busy: list[int]) -> None:
    (waiting,) = driver.push(Call("add", 1, 1))
    driver.cancel(waiting, busy[0])
    for outcome in driver.wait([waiting, busy[0]]):
        assert outcome.failure is not None
        assert outcome.failure.kind == "cancelled"


def test_what_is_forgotten_is_not_reported(driver: Driver, busy: list[int], tmp_path: Path) -> None:
    (waiting,) = driver.push(Call("add", 1, 1))
    driver.manager.forget(1)
    (tmp_path / "end").touch()
    assert driver.run(Call("add", 2, 2), application=2) == [4]
    assert not {waiting, *busy} & set(driver.outcomes)


def test_it_never_blocks_and_says_when_it_has_something_to_do(
    driver: Driver, busy: list[int]
) -> None:
    before = time.monotonic()
    driver.push(Call("add", 1, 1))
    driver.manager.collect(time.monotonic())
    assert time.monotonic() - before < 1.0
    assert all(isinstance(_number(one), int) for one in driver.manager.pollables())


def _number(pollable: Any) -> int:
    return pollable if isinstance(pollable, int) else int(pollable.fileno())


def test_progress_and_log_come_through(driver: Driver) -> None:
    (key,) = driver.push(Call("progress", 3))
    driver.wait([key])
    driver.until(lambda: bool(driver.notes))
    last = driver.notes[-1]
    assert (last.key, last.done, last.total, last.message) == (key, 3, 3, "step 3")
    driver.run(Call("log", "warning", "mind the gap"))
    driver.until(lambda: "mind the gap" in driver.text("warning"))


def test_scratch_directories_go_away(driver: Driver) -> None:
    (path,) = driver.run(Call("scratch"))
    assert not os.path.exists(path)


def test_stop_ends_at_once(driver: Driver, busy: list[int]) -> None:
    assert busy
    before = time.monotonic()
    driver.manager.stop()
    assert time.monotonic() - before < 5.0
