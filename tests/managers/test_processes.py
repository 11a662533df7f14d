"""Tasks in real processes: what comes back, however they end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.model.resources import Resources
from concurrent_framework.tasks.failures import load_exception
from concurrent_framework.tasks.payload import apply_changes
from tests.managers.sample_tasks import (
    Call,
    Changes,
    FailsAfterChange,
    FailsToCleanUp,
    Keeps,
    Parent,
    Same,
    Slotted,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.managers.drive import Driver


def test_results_come_back(driver: Driver) -> None:
    assert driver.run(*(Call("add", n, 1) for n in range(2000))) == list(range(1, 2001))


def test_executors_are_reused_and_both_used(driver: Driver, tmp_path: Path) -> None:
    pids = set(driver.run(*(Call("pid") for _ in range(100))))
    ends = [str(tmp_path / name) for name in "ab"]
    first, second = driver.push(*(Call("touch_and_wait", end, end) for end in ends))
    driver.wait([first, second])
    # An executor may be through with a task before the template has told its process id.
    driver.until(lambda: pids <= set(driver.pids))
    again = set(driver.run(*(Call("pid") for _ in range(100))))
    driver.until(lambda: again <= set(driver.pids))


def test_two_applications_never_share_an_executor(driver: Driver) -> None:
    pids = [
        set(driver.run(*(Call("pid") for _ in range(50)), application=application))
        for application in (1, 2, 1, 2)
    ]
    assert not (pids[0] | pids[2]) & (pids[1] | pids[3])


@pytest.mark.parametrize("size", [1 << 20, 50 << 20])
def test_large_results_and_arguments(driver: Driver, size: int) -> None:
    (block,) = driver.run(Call("block", size))
    assert len(block) == size
    assert driver.run(Call("length", b"y" * size), Call("add", 1, 1)) == [size, 2]


def test_attributes_that_were_rebound_come_back(driver: Driver) -> None:
    task = Changes()
    task.client_id = "c"
    (outcome,) = driver.wait(driver.push(task))
    apply_changes(task, outcome.changes)  # type: ignore[arg-type]
    assert (task.found, task.data, task.kept) == (5, "", [1])
    assert not hasattr(task, "doomed")


def test_task_knows_its_number_and_worker(driver: Driver) -> None:
    task = Changes()
    task.client_id = "c"
    assert driver.run(task) == [(1, "w1", "c")]


def test_class_with_slots(driver: Driver) -> None:
    task = Slotted(4)
    (outcome,) = driver.wait(driver.push(task))
    apply_changes(task, outcome.changes)  # type: ignore[arg-type]
    assert task.x == 5


def test_exception(driver: Driver) -> None:
    failure = driver.fail(Call("boom", "what a pity"))
    assert (failure.kind, failure.type, failure.message) == ("failed", "ValueError", "what a pity")
    assert "in boom" in failure.traceback
    assert "concurrent_framework" not in failure.traceback
    assert repr(load_exception(failure.exception)) == "ValueError('what a pity')"
    certificate = failure.certificate
    assert (certificate.worker, certificate.stderr) == ("w1", "about to fail")
    assert certificate.peak_memory > 1 << 20
    assert certificate.suspect == "task"


def test_changes_of_a_task_that_failed_come_back(driver: Driver) -> None:
    task = FailsAfterChange()
    (outcome,) = driver.wait(driver.push(task))
    apply_changes(task, outcome.changes)  # type: ignore[arg-type]
    assert task.progressed == 7


def test_failure_to_clean_up_is_a_failure(driver: Driver) -> None:
    failure = driver.fail(FailsToCleanUp())
    assert (failure.kind, failure.type) == ("failed", "KeyError")


@pytest.mark.parametrize(
    ("task", "name"), [(Call("leave", 3), "SystemExit"), (Call("interrupt"), "KeyboardInterrupt")]
)
def test_leaving_is_a_failure_like_others(driver: Driver, task: Call, name: str) -> None:
    before = driver.run(Call("pid"))
    failure = driver.fail(task)
    assert (failure.kind, failure.type) == ("failed", name)
    assert set(driver.run(*(Call("pid") for _ in range(20)))) & set(before)


def test_result_that_cannot_be_pickled(driver: Driver) -> None:
    failure = driver.fail(Call("unpicklable"))
    assert failure.kind == "not_serializable"
    assert "lock" in failure.message
    failure = driver.fail(Keeps())
    assert failure.kind == "not_serializable"
    assert "attribute lock" in failure.message


@pytest.mark.parametrize(
    ("task", "exit_code", "number", "words"),
    [
        (Call("hard_exit", 5), 5, 0, "exit code 5"),
        (Call("crash"), None, signal.SIGSEGV, "SIGSEGV"),
        (Call("kill_self"), None, signal.SIGKILL, "SIGKILL"),
        (Call("kill_self", signal.SIGTERM), None, signal.SIGTERM, "SIGTERM"),
    ],
)
def test_end_of_the_executor_has_a_certificate(
    driver: Driver, task: Call, exit_code: int | None, number: int, words: str
) -> None:
    others = driver.push(*(Call("add", n, n) for n in range(200)))
    (key,) = driver.push(task)
    others += driver.push(*(Call("add", n, n) for n in range(200)))
    (outcome,) = driver.wait([key])
    failure = outcome.failure
    assert failure is not None
    assert failure.kind == "worker_lost"
    assert words in failure.message
    certificate = failure.certificate
    assert (certificate.exit_code, certificate.signal) == (exit_code, number)
    assert certificate.suspect == "task"
    assert certificate.worker == "w1"
    assert certificate.peak_memory > 1 << 20
    # It takes no innocent with it.
    assert all(one.failure is None for one in driver.wait(others))


def test_last_words_are_in_the_certificate_and_in_the_output(driver: Driver) -> None:
    failure = driver.fail(Call("hard_exit", 1))
    assert failure.certificate.stderr == "last words"
    assert driver.text("stderr") == "last words"
    assert "string_at" in driver.fail(Call("crash")).certificate.stderr


def test_executor_killed_from_outside(driver: Driver, tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")
    pids = driver.run(Call("pid"))
    (key,) = driver.push(Call("touch_and_wait", flag))
    driver.until(lambda: os.path.exists(flag))
    for pid in driver.pids:
        os.kill(pid, signal.SIGKILL)
    (outcome,) = driver.wait([key])
    assert outcome.failure is not None
    assert outcome.failure.certificate.signal == signal.SIGKILL
    assert driver.run(Call("pid")) != pids


def test_template_killed_by_a_task(driver: Driver) -> None:
    failure = driver.fail(Call("kill_parent"))
    assert failure.kind == "worker_lost"
    assert driver.run(Call("add", 1, 2)) == [3]


def test_timeout(driver: Driver) -> None:
    (long,) = driver.push(Call("wait"), timeout=0.1)
    short = driver.push(*(Call("add", n, 1) for n in range(100)), timeout=0.1)
    (outcome,) = driver.wait([long])
    assert outcome.failure is not None
    assert outcome.failure.kind == "timeout"
    assert "0.1 s" in outcome.failure.message
    assert all(one.failure is None for one in driver.wait(short))


def test_timeout_in_the_midst_of_a_chunk(driver: Driver) -> None:
    driver.run(*(Call("add", n, 1) for n in range(500)), timeout=0.1)
    tasks = [Call("add", n, 1) for n in range(1000)]
    tasks[300] = Call("wait")
    keys = driver.push(*tasks, timeout=0.1)
    outcomes = driver.wait(keys)
    assert [n for n, one in enumerate(outcomes) if one.failure] == [300]
    assert outcomes[300].failure is not None
    assert outcomes[300].failure.kind == "timeout"


def test_memory_limit(make_driver: Callable[..., Driver]) -> None:
    driver = make_driver("worker.memory=8 GiB")
    resources = Resources(memory=100 << 20)
    for function in ("eat", "eat_in_child"):
        failure = driver.fail(Call(function, 200 << 20), resources=resources)
        assert failure.kind == "resource_exceeded"
        assert "100 MiB" in failure.message
    assert failure.certificate.peak_memory > 1 << 20
    assert driver.run(Call("add", 1, 1), resources=resources) == [2]


def test_cancel_of_a_running_task_that_notices(driver: Driver, tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")
    (key,) = driver.push(Call("until_cancelled", flag))
    driver.until(lambda: os.path.exists(flag))
    before = set(driver.pids)
    driver.cancel(key)
    (outcome,) = driver.wait([key])
    assert outcome.failure is not None
    assert outcome.failure.kind == "cancelled"
    assert set(driver.pids) == before


def test_cancel_of_a_running_task_that_does_not(
    make_driver: Callable[..., Driver], tmp_path: Path
) -> None:
    driver = make_driver("worker.cancel_grace=0.05")
    flag = str(tmp_path / "flag")
    (key,) = driver.push(Call("touch_and_wait", flag))
    driver.until(lambda: os.path.exists(flag))
    driver.cancel(key)
    (outcome,) = driver.wait([key])
    assert outcome.failure is not None
    assert outcome.failure.kind == "cancelled"
    assert driver.run(Call("add", 1, 2)) == [3]


def test_cancel_of_waiting_tasks(driver: Driver, tmp_path: Path) -> None:
    end = str(tmp_path / "end")
    flags = [str(tmp_path / name) for name in "ab"]
    running = driver.push(*(Call("touch_and_wait", flag, end) for flag in flags))
    driver.until(lambda: all(map(os.path.exists, flags)))
    note = str(tmp_path / "note")
    waiting = driver.push(*(Call("note", note, str(n)) for n in range(100)))
    driver.cancel(*waiting[::2])
    cancelled = driver.wait(waiting[::2])
    assert {one.failure.kind for one in cancelled if one.failure} == {"cancelled"}
    (tmp_path / "end").touch()
    assert all(one.failure is None for one in driver.wait(running + waiting[1::2]))
    assert len((tmp_path / "note").read_text().split()) == 50


def test_cancel_of_what_is_over_does_nothing(driver: Driver) -> None:
    keys = driver.push(Call("add", 1, 1))
    driver.wait(keys)
    driver.cancel(*keys, 12345)
    assert driver.run(Call("add", 1, 1)) == [2]


def test_recall_is_exact(driver: Driver, tmp_path: Path) -> None:
    """No task behind a long one is lost, and none runs twice, wherever it was recalled from."""
    note = tmp_path / "note"
    driver.run(*(Call("note", str(tmp_path / "warm"), "x") for _ in range(3000)))
    end = str(tmp_path / "end")
    tasks: list[Call] = [Call("note", str(note), str(n)) for n in range(1000)]
    tasks[:2] = [Call("wait", end) for _ in range(2)]
    keys = driver.push(*tasks)
    back: set[int] = set()
    for limit in (1, 10, 10_000):
        recalled = driver.recall(limit)
        assert len(recalled) <= limit
        assert not back & set(recalled)
        back |= set(recalled)
    assert back
    (tmp_path / "end").touch()
    left = [key for key in keys if key not in back]
    assert all(one.failure is None for one in driver.wait(left))
    lines = note.read_text().split() if note.exists() else []
    noted = [n for n, key in enumerate(keys) if key in set(left) and n > 1]
    assert sorted(map(int, lines)) == noted
    assert not back & set(driver.outcomes)
    assert driver.run(Call("add", 1, 1)) == [2]


def test_work_behind_a_long_task_goes_to_others(driver: Driver, tmp_path: Path) -> None:
    driver.run(*(Call("add", n, 1) for n in range(3000)))
    end = str(tmp_path / "end")
    (long,) = driver.push(Call("wait", end))
    others = driver.push(*(Call("add", n, 1) for n in range(3000)))
    driver.wait(others)
    assert long not in driver.outcomes
    (tmp_path / "end").touch()
    driver.wait([long])


def test_outcomes_before_a_long_task_do_not_wait_for_it(driver: Driver, tmp_path: Path) -> None:
    driver.run(*(Call("add", n, 1) for n in range(3000)))
    end = str(tmp_path / "end")
    tasks = [Call("add", n, 1) for n in range(40)]
    # They wait in a system call, for another process: only a signal reaches them.
    tasks += [Call("shell", f"while [ ! -e {end} ]; do sleep 0.01; done") for _ in range(2)]
    keys = driver.push(*tasks)
    driver.wait(keys[:40])
    long = keys[40:]
    assert not set(long) & set(driver.outcomes)
    (tmp_path / "end").touch()
    driver.wait(long)


def test_task_that_must_not_run_twice(driver: Driver, tmp_path: Path) -> None:
    """However its executor ends, what was finished before is told, and nothing runs again."""
    note = str(tmp_path / "note")
    driver.run(*(Call("note", str(tmp_path / "warm"), "x") for _ in range(1000)), idempotent=False)
    tasks = [Call("note", note, str(n)) for n in range(100)]
    tasks[50] = Call("kill_self")
    outcomes = driver.wait(driver.push(*tasks, idempotent=False))
    assert [n for n, one in enumerate(outcomes) if one.failure] == [50]
    assert sorted(map(int, (tmp_path / "note").read_text().split())) == [
        n for n in range(100) if n != 50
    ]


def test_spawned_tasks_travel_with_the_outcome(driver: Driver) -> None:
    driver.run(Call("add", 1, 1))
    (outcome,) = driver.wait(driver.push(Parent(3)))
    assert len(outcome.spawned) == 4
    known, new = outcome.spawned[0], outcome.spawned[3]
    assert known.spec == 0
    assert known.name == "add"
    assert new.spec < 0
    assert [entry.number for entry in outcome.specs] == [new.spec]
    (outcome,) = driver.wait(driver.push(Parent(3, fail=True)))
    assert outcome.failure is not None
    assert not outcome.spawned
    (outcome,) = driver.wait(driver.push(Call("add", 1, 1)))
    assert not outcome.spawned


def test_forgotten_application_goes_silently(driver: Driver, tmp_path: Path) -> None:
    flag = str(tmp_path / "flag")
    keys = driver.push(Call("touch_and_wait", flag), *(Call("add", 1, 1) for _ in range(100)))
    driver.until(lambda: os.path.exists(flag))
    driver.manager.forget(1)
    assert driver.run(Call("add", 1, 1), application=2) == [2]
    assert keys[0] not in driver.outcomes
    driver.until(lambda: all(link.pid for link in driver.manager._links.values()))


def test_several_specs_of_one_application(driver: Driver) -> None:
    tasks = [(Call, Same)[n % 2]("add", n, 1) for n in range(1000)]
    assert driver.run(*tasks) == list(range(1, 1001))


def test_gpus_are_assigned(make_driver: Callable[..., Driver], tmp_path: Path) -> None:
    driver = make_driver("worker.gpus=2")
    ends = [str(tmp_path / name) for name in "ab"]
    one = Resources(gpus=1)
    keys = driver.push(*(Call("touch_and_wait", end, ends[1]) for end in ends), resources=one)
    driver.wait(keys)
    seen = driver.run(
        *(Call("environment", "CUDA_VISIBLE_DEVICES") for _ in range(20)), resources=one
    )
    assert set(seen) <= {"0", "1"}
    both = Resources(gpus=2)
    assert driver.run(Call("environment", "CUDA_VISIBLE_DEVICES"), resources=both) == ["0,1"]
    assert driver.run(Call("environment", "CUDA_VISIBLE_DEVICES")) == [None]


def test_what_does_not_fit_is_reported(driver: Driver) -> None:
    failure = driver.fail(Call("add", 1, 1), resources=Resources(labels=("gpu",)))
    assert failure.kind == "worker_lost"
    assert failure.certificate.suspect == "worker"


def test_manager_does_not_wait_for_an_executor_that_does_not_read(
    driver: Driver, tmp_path: Path
) -> None:
    """Payloads that no socket can hold wait while the executor is busy; everything else goes on."""
    end = str(tmp_path / "end")
    (busy,) = driver.push(Call("wait", end))
    data = [b"z" * (20 << 20) for _ in range(4)]
    large = driver.push(*(Call("length", block) for block in data))
    assert driver.run(*(Call("add", n, 1) for n in range(100))) == list(range(1, 101))
    assert busy not in driver.outcomes
    (tmp_path / "end").touch()
    assert all(one.failure is None for one in driver.wait([busy, *large]))


def test_code_that_cannot_be_loaded(driver: Driver) -> None:
    class Nowhere(Call):
        """A class that its module does not have."""

    failure = driver.fail(Nowhere("add", 1, 1))
    assert failure.kind == "failed"
    assert "Nowhere" in failure.message
