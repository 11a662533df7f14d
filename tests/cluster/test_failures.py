"""However a task ends: one notification that says why, and a worker that goes on."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from concurrent_framework import NotSerializable, Resources
from concurrent_framework.model.errors import RemoteTracebackError
from tests.cluster.applications import Recorder
from tests.cluster.tasks import Call, Complaint, KeepsLock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.swarm import Swarm


class Case(NamedTuple):
    """A task that fails, and what the application must be told."""

    make: Callable[[], Call | KeepsLock]
    kind: str
    type: str
    message: str
    traceback: str = ""
    exit_code: int | None = None
    signal: int = 0
    stderr: str = ""
    attempts: int = 1


def with_settings(task: Call, **settings: Any) -> Call:
    for name, value in settings.items():
        setattr(task, name, value)
    return task


CASES = {
    "raises": Case(
        lambda: Call("boom", "what a pity"),
        "failed",
        "ValueError",
        "what a pity",
        traceback="in boom",
        stderr="about to fail",
    ),
    "returns what cannot be pickled": Case(
        lambda: Call("unpicklable"), "not_serializable", "NotSerializable", "lock"
    ),
    "holds what cannot be pickled": Case(
        KeepsLock, "not_serializable", "NotSerializable", "attribute lock"
    ),
    "calls sys.exit": Case(
        lambda: Call("leave", 3),
        "failed",
        "SystemExit",
        "sys.exit(3)",
        traceback="in leave",
        stderr="leaving",
    ),
    "calls os._exit": Case(
        lambda: Call("hard_exit", 5),
        "worker_lost",
        "WorkerLost",
        "exit code 5",
        exit_code=5,
        stderr="last words",
        attempts=3,
    ),
    "crashes": Case(
        lambda: with_settings(Call("crash"), max_attempts=2),
        "worker_lost",
        "WorkerLost",
        "SIGSEGV",
        signal=signal.SIGSEGV,
        stderr="Segmentation fault",
        attempts=2,
    ),
    "is killed": Case(
        lambda: with_settings(Call("kill_self", signal.SIGKILL), idempotent=False),
        "worker_lost",
        "WorkerLost",
        "SIGKILL",
        signal=signal.SIGKILL,
        stderr="last words",
    ),
    "uses too much memory": Case(
        lambda: with_settings(Call("eat", 300 << 20), resources=Resources(memory=150 << 20)),
        "resource_exceeded",
        "ResourceExceeded",
        "150 MiB",
        signal=signal.SIGKILL,
        stderr="hungry",
    ),
    "takes too long": Case(
        lambda: with_settings(Call("wait_for", "/nowhere"), timeout=0.2),
        "timeout",
        "TaskTimeout",
        "0.2 s",
        signal=signal.SIGKILL,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_a_failure_is_told_once_with_its_cause(swarm: Swarm, case: Case) -> None:
    began = time.time() - 0.1
    task = case.make()
    others = [Call("add", n, 1) for n in range(100)]
    app = swarm.run(Recorder([*others[:50], task, *others[50:]]))
    error = app.error_of(task)
    assert (error.kind, error.type) == (case.kind, case.type)
    assert case.message in error.message
    assert case.traceback in error.traceback
    assert bool(error.traceback) == bool(case.traceback) or case.kind == "not_serializable"
    assert "concurrent_framework" not in error.traceback
    certificate = error.certificate
    assert (certificate.exit_code, certificate.signal) == (case.exit_code, case.signal)
    assert case.stderr in certificate.stderr
    assert certificate.worker == task.slave_id == "w1"
    assert [one.number for one in certificate.attempts] == list(range(1, case.attempts + 1))
    for attempt in certificate.attempts:
        assert attempt.worker == "w1"
        assert began <= attempt.started <= attempt.ended <= time.time()
    assert certificate.suspect == "task"
    assert certificate.peak_memory > 1 << 20
    # It takes no innocent with it, and each has ended exactly once.
    assert [app.of(one).result for one in others] == list(range(1, 101))
    assert len(app.told) == 101
    assert app.exit_code == 0


def test_a_running_task_that_does_not_heed_its_cancellation_is_stopped(swarm: Swarm) -> None:
    task = Call("wait_for", "/nowhere")
    app = Recorder([task, Call("add", 1, 1)], lambda app, one, _message: app.cancel(one))
    error = swarm.run(app).error_of(task)
    assert error.kind == "cancelled"
    assert error.certificate.worker == "w1"
    assert len(app.told) == 2


def test_a_task_that_holds_what_cannot_be_pickled_is_refused_at_the_push(
    swarm: Swarm,
) -> None:
    class Pushes(Recorder):
        abstract = True

        def start_processing(self) -> None:
            task = Call("add", 1, 1)
            task.lock = threading.Lock()  # type: ignore[attr-defined]
            with pytest.raises(NotSerializable, match="lock"):
                self.push_task(task)
            self.push_task(Call("add", 1, 1))

    assert [one.result for one in swarm.run(Pushes()).told] == [2]


def test_the_original_exception_can_be_raised_with_the_remote_traceback(swarm: Swarm) -> None:
    task = Call("complain", 7)
    error = swarm.run(Recorder([task])).error_of(task)
    with pytest.raises(Complaint) as raised:
        error.raise_()
    assert raised.value.code == 7
    assert isinstance(raised.value.__cause__, RemoteTracebackError)
    assert "in complain" in str(raised.value.__cause__)
    frames = raised.traceback
    assert frames[-1].name == "complain", "the traceback leads to where it was raised"


def test_a_result_that_cannot_be_rebuilt_here_is_told_as_an_error(swarm: Swarm) -> None:
    task = Call("fails_to_unpickle")
    error = swarm.run(Recorder([task, Call("add", 1, 1)])).error_of(task)
    assert error.kind == "not_serializable"
    assert "only here" in error.message


def test_many_failures_leave_the_worker_as_it_was(swarm: Swarm) -> None:
    tasks = [Call("boom", str(n)) if n % 3 else Call("add", n, 0) for n in range(1000)]
    app = swarm.run(Recorder(tasks))
    told = {id(one.task): one for one in app.told}
    assert len(told) == len(app.told) == 1000
    for number, task in enumerate(tasks):
        one = told[id(task)]
        assert (one.error.message if one.error else one.result) == (
            str(number) if number % 3 else number
        )
    assert swarm.workers["w1"].process.poll() is None
