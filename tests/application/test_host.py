"""System hosts against a master in memory."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import Task, TaskError, TaskSystem
from concurrent_framework.application.host import Host
from concurrent_framework.application.outcomes import error_of
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from concurrent_framework.protocol.tasks import NewTask, Outcome, SpecEntry
from concurrent_framework.tasks.payload import dump_result, dump_state, load_result, load_task
from tests.application.fake_master import NUMBER, FakeMaster

if TYPE_CHECKING:
    from pathlib import Path


class Number(Task):
    def __init__(self, value: int) -> None:
        super().__init__(f"number {value}")
        self.value = value

    def __call__(self) -> int:
        if self.value == 1313:
            raise ValueError("unlucky")
        self.seen = True
        return self.value


class Loud(Number):
    def finished(self, result: Any, error: TaskError | None) -> None:
        print(f"{self.value} is done:", result, error)
        if self.value == 5:
            raise RuntimeError("oh no")


class Total(TaskSystem):
    kind: type[Number] = Number

    def __init__(self, size: int, first: int = 0) -> None:
        self.size = size
        self.first = first
        self.total = 0

    def generate_tasks(self, master: Any) -> Any:
        return (self.kind(n) for n in range(self.first, self.first + self.size))

    def task_finished(self, master: Any, task: Any, result: Any, error: TaskError | None) -> Any:
        if error is not None:
            raise error
        assert task.seen
        self.total += result
        master.progress(master.stats.finished, self.size)

    def gather_result(self, master: Any) -> Any:
        return self.total


class LoudTotal(Total):
    kind = Loud


class Adaptive(TaskSystem):
    """Halves a number until nothing is left; every method is asynchronous."""

    async def init_system(self, master: Any) -> None:
        await asyncio.sleep(0)
        self.seen: list[int] = []
        master.log.info("%d workers, %d executors", master.workers, master.executors)

    async def generate_tasks(self, master: Any) -> Any:
        await asyncio.sleep(0)
        return [Number(100)]

    async def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        await asyncio.sleep(0)
        self.seen.append(result)
        if result > 20:
            master.push_task(Number(result // 2))
        elif result > 5:
            return Number(result // 2)
        elif result:
            return [Number(result // 2)]
        return None

    async def gather_result(self, master: Any) -> Any:
        return self.seen


class Impatient(Total):
    def is_complete(self, master: Any) -> bool:
        return self.total > 10


class Stuck(Total):
    def is_complete(self, master: Any) -> bool:
        return False


class Broken(TaskSystem):
    def __init__(self, where: str) -> None:
        self.where = where

    def _raise(self, where: str) -> None:
        if where == self.where:
            raise LookupError(f"broken in {where}")

    def init_system(self, master: Any) -> None:
        self._raise("init")
        if self.where == "exit":
            raise SystemExit(3)

    def generate_tasks(self, master: Any) -> Any:
        self._raise("generate")
        yield Number(1)
        self._raise("draw")
        if self.where == "no task":
            yield "a string"

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Any:
        self._raise("finished")
        return 5 if self.where == "returned" else None

    def is_complete(self, master: Any) -> Any:
        self._raise("complete")
        return super().is_complete(master)

    def gather_result(self, master: Any) -> Any:
        self._raise("gather")
        return threading.Lock() if self.where == "result" else None


def host(
    master: FakeMaster, job: app.HostJob, directory: Path, *more: Any
) -> tuple[int, list[app.SystemDone]]:
    """Run a host until it is done, or until `more` is answered."""
    usual = master.usual

    def answer(message: Any) -> list[Any]:
        if isinstance(message, greet.Hello):
            return [*usual(message), job, *more]
        if isinstance(message, app.SystemDone | app.Finished):
            return [greet.Goodbye()]
        return usual(message)

    master.usual = answer  # type: ignore[method-assign]
    with master.running() as link:
        code = Host(link, "system-3", directory).run()
    return code, master.of(app.SystemDone)


def job_for(system: TaskSystem) -> app.HostJob:
    cls = type(system)
    push = app.PushSystem(
        7, cls.__name__, CodeReference(cls.__module__, cls.__qualname__), dump_state(system)
    )
    return app.HostJob(push)


def run(system: TaskSystem, directory: Path, **options: Any) -> tuple[Any, FakeMaster, Any]:
    """Run a system; return its result, the master, and its instance at the end."""
    master = FakeMaster(**options)
    _, [done] = host(master, job_for(system), directory)
    if done.failure is not None:
        raise error_of(done.failure)
    state: Any = done.state
    result: Any = done.result
    return load_result(result), master, load_task(type(system), state)


def texts(master: FakeMaster, stream: str) -> list[str]:
    return [
        f"{line.source}: {line.text}"
        for output in master.of(app.Output)
        for line in output.lines
        if line.stream == stream
    ]


def test_a_system_runs_and_comes_back(tmp_path: Path) -> None:
    result, master, system = run(Total(500), tmp_path, window_tasks=40)
    assert result == sum(range(500))
    assert (system.total, system.system_id) == (result, 7)
    assert master.most_unacknowledged <= 40
    note = master.of(app.Progress)[-1].notes[-1]
    assert (note.key, note.done, note.total) == (task_key(NUMBER, 0), 500, 500)


def test_a_system_without_tasks_is_complete(tmp_path: Path) -> None:
    assert run(Total(0), tmp_path)[0] == 0


def test_a_system_decides_on_the_way_and_may_be_asynchronous(tmp_path: Path) -> None:
    result, master, _ = run(Adaptive(), tmp_path)
    assert result == [100, 50, 25, 12, 6, 3, 1, 0]
    assert texts(master, "info") == ["Adaptive: 1 workers, 2 executors"]


def test_a_complete_system_ends_although_tasks_are_under_way(tmp_path: Path) -> None:
    result, master, _ = run(Impatient(10**9), tmp_path, window_tasks=40)
    assert result > 10
    assert master.accepted < 10_000


def test_a_system_that_waits_for_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"Stuck is stuck.*is_complete\(\) returned False"):
        run(Stuck(3), tmp_path)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        *((where, f"broken in {where}") for where in ("init", "generate", "draw", "finished")),
        *((where, f"broken in {where}") for where in ("complete", "gather")),
        ("no task", "a string"),
        ("returned", "returned 5"),
        ("exit", "sys.exit"),
        ("result", "the result cannot be sent back"),
    ],
)
def test_whatever_a_system_raises_is_its_failure(where: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=text) as caught:
        run(Broken(where), tmp_path)
    if text.startswith("broken"):
        assert caught.value.type == "LookupError"
        assert "in _raise" in caught.value.traceback
        assert "concurrent_framework" not in caught.value.traceback


def test_a_failed_task_fails_the_default_system(tmp_path: Path) -> None:
    with pytest.raises(TaskError) as caught:
        run(Total(3, first=1312), tmp_path)
    assert (caught.value.type, caught.value.message) == ("ValueError", "unlucky")


def test_finished_of_a_systems_tasks_is_called_first(tmp_path: Path) -> None:
    result, master, _ = run(LoudTotal(8), tmp_path)
    assert result == sum(range(8))
    assert texts(master, "stdout") == [f"number {n}: {n} is done: {n} None" for n in range(8)]
    [problem] = texts(master, "error")
    assert problem.startswith("number 5: Loud.finished raised:\nTraceback")
    assert problem.endswith("RuntimeError: oh no")


def test_rejected_tasks_are_told_to_the_system(tmp_path: Path) -> None:
    def reject(master: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, app.Submit):
            master.accepted += len(message.tasks)
            return [
                app.Rejected(message.first, len(message.tasks), Failure("failed", "E", "no room"))
            ]
        return None

    with pytest.raises(TaskError, match="no room"):
        run(Total(3), tmp_path, answer=reject)


# Hosts that call `finished`

SPECS = (SpecEntry(4, TaskSpec(CodeReference(__name__, "Loud"), notifies=True)),)


def item(sequence: int, value: int, spec: int = 4, failure: Failure | None = None) -> Any:
    row = NewTask(spec, f"number {value}", dump_state(Loud(value)))
    result = b"" if failure else dump_result(value)
    return app.FinishTask(row, Outcome(task_key(NUMBER, sequence), 1, result, failure=failure))


def test_finished_of_plain_tasks_is_called(tmp_path: Path) -> None:
    master = FakeMaster()
    failure = Failure("failed", "ValueError", "bad")
    finish = app.Finish((item(1, 10), item(2, 11, failure=failure), item(3, 5), item(4, 1, 99)))
    host(master, app.HostJob(None, SPECS), tmp_path, finish)
    assert texts(master, "stdout") == [
        "number 10: 10 is done: 10 None",
        "number 11: 11 is done: None bad",
        "number 5: 5 is done: 5 None",
    ]
    raised, unknown = texts(master, "error")
    assert raised.endswith("RuntimeError: oh no")
    assert unknown == (
        "number 1: finished() cannot be called: CodeError: the class of the tasks with spec 99 "
        "is not known here"
    )
    keys = [key for message in master.of(app.Finished) for key in message.keys]
    assert keys == [task_key(NUMBER, n) for n in (1, 2, 3, 4)]


def test_finished_is_not_called_again_when_the_master_asks_again(tmp_path: Path) -> None:
    master = FakeMaster()
    finish = app.Finish((item(1, 10),))
    host(master, app.HostJob(None, SPECS), tmp_path, finish, finish)
    assert texts(master, "stdout") == ["number 10: 10 is done: 10 None"]
