"""Errors that are attempted again, deadlines, and a worker on which everything dies."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import Resources, Task, TaskSystem, TaskTimeout
from tests.cluster.applications import Recorder
from tests.cluster.place import until
from tests.cluster.tasks import Call, DiesOn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.swarm import Swarm


def call(function: str, *args: Any, **settings: Any) -> Call:
    task = Call(function, *args)
    for name, value in settings.items():
        setattr(task, name, value)
    return task


@pytest.mark.parametrize(
    "retry_on",
    [OSError, "OSError", (KeyError, "ConnectionError"), "Flaky", "tests.cluster.tasks.Flaky"],
    ids=str,
)
def test_an_error_is_attempted_again_if_the_task_names_its_kind(
    swarm: Swarm, tmp_path: Path, retry_on: Any
) -> None:
    task = call("flaky", str(tmp_path / "count"), 3, retry_on=retry_on, max_attempts=3)
    app = swarm.run(Recorder([task, Call("add", 1, 1)]))
    assert app.results() == [3, 2]
    assert len(app.told) == 2


def test_an_error_of_another_kind_is_not(swarm: Swarm, tmp_path: Path) -> None:
    task = call("flaky", str(tmp_path / "count"), 3, retry_on=(ValueError, "TimeoutError"))
    error = swarm.run(Recorder([task])).error_of(task)
    assert (error.type, error.message) == ("Flaky", "call 1")
    assert len(error.certificate.attempts) == 1


def test_every_attempt_is_in_the_certificate(swarm: Swarm, tmp_path: Path) -> None:
    task = call("flaky", str(tmp_path / "count"), 9, retry_on=OSError, backoff=0.05, max_attempts=3)
    error = swarm.run(Recorder([task])).error_of(task)
    attempts = error.certificate.attempts
    assert [(one.number, one.worker, one.end) for one in attempts] == [
        (number, "w1", f"Flaky: call {number}") for number in (1, 2, 3)
    ]
    waits = [after.started - before.ended for before, after in pairwise(attempts)]
    assert waits[0] >= 0.0375
    assert waits[1] >= 0.075
    assert "2 on w1" in error.report()
    assert error.certificate.peak_memory > 1 << 20


def test_a_timeout_is_attempted_again_if_the_task_names_it(swarm: Swarm, tmp_path: Path) -> None:
    settings = {"timeout": 0.3, "retry_on": TaskTimeout, "max_attempts": 2}
    heals = call("slow_at_first", str(tmp_path / "count"), **settings)
    never = call("wait_for", "/nowhere", **settings)
    app = swarm.run(Recorder([heals, never]))
    assert app.of(heals).result == 2
    error = app.error_of(never)
    assert error.kind == "timeout"
    assert len(error.certificate.attempts) == 2


def test_a_deadline_ends_a_task_that_runs_and_one_that_waits(swarm: Swarm) -> None:
    began = time.monotonic()
    runs = call("wait_for", "/nowhere", deadline=0.4)
    waits = call("add", 1, 1, deadline=0.4, resources=Resources(labels=("nobody has it",)))
    app = swarm.run(Recorder([runs, waits]))
    for task, attempts in ((runs, 1), (waits, 0)):
        error = app.error_of(task)
        assert isinstance(error, TaskTimeout)
        assert "had not ended by its deadline, 0.4 s after it was submitted" in error.message
        assert len(error.certificate.attempts) == attempts
    assert app.error_of(runs).certificate.worker == "w1"
    assert time.monotonic() - began >= 0.4
    assert len(app.told) == 2


def test_a_worker_on_which_everything_dies_is_quarantined(
    make_swarm: Callable[..., Swarm],
) -> None:
    swarm = make_swarm("master.quarantine=600")
    swarm.add_worker("good")
    swarm.add_worker("bad")
    tasks = [DiesOn("bad", 0.02) for _ in range(60)]
    app = swarm.run(Recorder(tasks))
    assert app.results() == ["good"] * 60
    states = {one["worker"]: one["state"] for one in swarm.query("workers")}
    assert states == {"good": "active", "bad": "quarantined"}
    swarm.master.says("worker bad is quarantined: its last ")
    status = swarm.command("status").out
    assert "failed while others succeed" in " ".join(status.split())
    # A person knows better.
    assert swarm.command("resume", "bad").out == "worker bad gets work again\n"
    assert {one["state"] for one in swarm.query("workers")} == {"active"}
    swarm.stop()


def test_the_last_words_of_a_task_are_known_though_its_worker_is_lost(
    frail: Swarm, tmp_path: Path
) -> None:
    frail.add_worker("l1", "--label", "l")
    task = call(
        "speak_and_wait", str(tmp_path / "gate"), max_attempts=1, resources=Resources(labels=("l",))
    )
    lost = frail.workers["l1"]

    class Hears(Recorder):
        abstract = True

    app = Hears([task], lambda _app, _task, _message: lost.kill())
    error = frail.run(app).error_of(task)
    assert error.kind == "worker_lost"
    certificate = error.certificate
    assert certificate.stderr == "a last thought"
    assert (certificate.worker, certificate.suspect) == ("l1", "worker")
    assert [(one.worker, one.end) for one in certificate.attempts] == [("l1", "worker lost")]
    assert "a last thought" in error.report()
    del frail.workers["l1"]


class Patient(TaskSystem):
    """Takes an error calmly, since somebody may have its task attempted again."""

    def __init__(self, *tasks: Task) -> None:
        self.tasks = tasks
        self.told: list[Any] = []

    def generate_tasks(self, _master: Any) -> list[Task]:
        return list(self.tasks)

    def task_finished(self, _master: Any, _task: Any, result: Any, error: Any) -> None:
        self.told.append(result if error is None else error.type)

    def gather_result(self, _master: Any) -> list[Any]:
        return self.told


def test_a_retried_task_of_a_system_is_told_to_the_system(swarm: Swarm, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    fails = Call("flaky", str(tmp_path / "count"), 2)

    class Fails(Recorder):
        abstract = True
        harvest: list[Any] | None = None

        def get_task_system(self) -> Patient:
            return Patient(fails, Call("wait_for", str(gate)))

        def work_finished(self, result: Any, _system: Any) -> None:
            self.harvest = result

    def look(app: Fails) -> None:
        failed = [one for one in swarm.query("failed") if one["application_name"] == "Looks"]
        if not failed:
            app.call_soon(look, app)
            return
        [task] = swarm.order("retry", target=failed[0]["task"])["tasks"]
        until(lambda: "it has its outcome" in swarm.query("explain", task=task)["text"])
        gate.touch()

    class Looks(Fails):
        abstract = True

        def start_processing(self) -> None:
            self.call_soon(look, self)

    app = Looks()
    assert swarm.run(app).exit_code == 0
    assert app.harvest == ["Flaky", 2, None]
