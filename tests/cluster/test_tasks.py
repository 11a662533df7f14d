"""Plain tasks on a cluster: what an application writes, and what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import ApplicationNode, IApp, Task, UsageError, implements, task
from tests.cluster.applications import Recorder
from tests.cluster.tasks import Call

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework import PushReceipt, TaskError
    from tests.cluster.swarm import Swarm


class Draft(Task):
    """Binds attributes anew while it runs, and drops its input afterwards."""

    def __init__(self, data: list[int]) -> None:
        self.data: list[int] | None = data
        self.total = 0

    def __call__(self) -> int:
        assert self.data is not None
        self.total = sum(self.data)
        return len(self.data)

    def clean_up(self) -> None:
        self.data = None


class Announced(Task):
    """Says on the master's side what came of it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"number {number}")
        self.number = number

    def __call__(self) -> float:
        return 1 / self.number

    def finished(self, result: Any, error: TaskError | None) -> None:
        print(f"finished: {result}, {error.type if error else 'fine'}, on {self.slave_id}")


@task(priority=2, timeout=30)
def power(number: int, exponent: int = 2) -> int:
    return int(number**exponent)


def test_results_come_back_and_both_executors_work(swarm: Swarm, tmp_path: Path) -> None:
    app = swarm.run(Recorder([Call("add", n, 1) for n in range(2000)]))
    assert app.results() == list(range(1, 2001))
    assert app.exit_code == 0
    assert (app.stats.pushed, app.stats.finished, app.stats.outstanding) == (2000, 2000, 0)
    assert (app.stats.workers, app.stats.executors) == (1, 2)
    ends = [str(tmp_path / name) for name in "ab"]
    meet = Recorder([Call("meet", ends[0], ends[1]), Call("meet", ends[1], ends[0])])
    assert len(set(swarm.run(meet).results())) == 2


def test_the_very_instance_comes_back_with_what_it_bound(swarm: Swarm) -> None:
    draft = Draft([1, 2, 3])
    app = swarm.run(Recorder([draft]))
    told = app.of(draft)
    assert told.result == 3
    assert (draft.total, draft.data) == (6, None)
    assert (draft.slave_id, draft.worker_id, draft.task_id) == ("w1", "w1", 1)
    assert draft.client_id == app.node_id_str


def test_functions_are_tasks(swarm: Swarm) -> None:
    tasks = [power(3), power(2, exponent=10), power(number=5)]
    assert swarm.run(Recorder(tasks)).results() == [9, 1024, 25]


def test_finished_is_called_on_the_masters_side_and_its_prints_are_shown(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    app = swarm.run(Recorder([Announced(4), Announced(0)]))
    assert len(app.told) == 2
    shown = capsys.readouterr().out.splitlines()
    assert sorted(shown) == [
        "number 0 | finished: None, ZeroDivisionError, on w1",
        "number 4 | finished: 0.25, fine, on w1",
    ]


def test_asynchronous_callbacks_run_one_at_a_time(swarm: Swarm) -> None:
    class Slow(Recorder):
        abstract = True
        inside = 0
        most = 0
        receipts = 0

        async def start_processing(self) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            super().start_processing()
            self.push_tasks(Call("add", n, n) for n in range(20))

        async def task_finished(  # type: ignore[override]
            self, task: Any, result: Any, error: TaskError | None
        ) -> None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.001)
            self.inside -= 1
            super().task_finished(task, result, error)

        async def push_task_response(self, result: PushReceipt) -> None:
            self.receipts += 1

        async def push_tasks_response(self, result: PushReceipt) -> None:
            self.receipts += result.count

    app = swarm.run(Slow([Call("add", 1, 1)]))
    assert (app.most, len(app.told), app.receipts) == (1, 21, 21)


def test_an_endless_generator_is_drawn_no_further_than_the_window(swarm: Swarm) -> None:
    class Endless(Recorder):
        abstract = True
        drawn = 0
        ahead = 0

        def start_processing(self) -> None:
            self.push_tasks(self.generate())

        def generate(self) -> Iterator[Task]:
            for number in count():
                self.drawn += 1
                self.ahead = max(self.ahead, self.drawn - len(self.told))
                yield Call("add", number, 0)

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if len(self.told) == 5000:
                self.shutdown_main_loop(7)

    app = swarm.run(Endless())
    assert app.exit_code == 7
    assert len({one.result for one in app.told}) == 5000
    assert app.ahead <= 500, "tasks are drawn beyond the window of the master"


def test_a_generator_that_raises_ends_the_application(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    class Breaks(Recorder):
        abstract = True

        def start_processing(self) -> None:
            self.push_tasks(Call("add", n, 1 // (10 - n)) for n in range(20))

    assert swarm.run(Breaks()).exit_code == 1
    errors = capsys.readouterr().err
    assert "ZeroDivisionError" in errors
    assert "concurrent_framework" not in errors


def test_an_exception_in_a_callback_ends_the_application_with_its_traceback(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    class Breaks(Recorder):
        abstract = True

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            raise KeyError("what a pity")

    assert swarm.run(Breaks([Call("add", 1, 1)])).exit_code == 1
    errors = capsys.readouterr().err
    assert errors.splitlines()[-1] == "KeyError: 'what a pity'"
    assert "in task_finished" in errors


def test_default_callbacks_log_and_tell_failures_by_the_exit_code(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    class Plain(ApplicationNode):
        implements(IApp)
        exit_code = -1

        def start_processing(self) -> None:
            self.push_tasks([Call("add", 20, 3), Call("boom", "what a pity")])

    assert swarm.run(Plain()).exit_code == 1
    shown = capsys.readouterr()
    assert "add: 23" in shown.out
    assert "error: task boom: ValueError: what a pity (worker w1)" in shown.err


def test_tasks_make_tasks(swarm: Swarm) -> None:
    app = swarm.run(Recorder([Call("spread", 4)]))
    assert sorted(one.result for one in app.told) == [
        depth for depth in range(5) for _ in range(2 ** (4 - depth))
    ]
    assert len({one.task.task_id for one in app.told}) == 31


def test_what_tasks_print_and_log_is_shown_with_their_name(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [Call("say", "first\nsecond"), Call("say", "aside", "stderr"), Call("log", "info", "i")]
    swarm.run(Recorder([*tasks, Call("log", "warning", "w")]))
    shown = capsys.readouterr()
    assert {"say | first", "say | second", "log | i"} <= set(shown.out.splitlines())
    assert {"say | aside", "warning: log | w"} <= set(shown.err.splitlines())


def test_progress_of_tasks_is_told(swarm: Swarm) -> None:
    notes: list[str] = []
    app = Recorder([Call("progress", 3)], lambda _app, _task, message: notes.append(message))
    swarm.run(app)
    assert notes[-1] == "step 3"


def test_a_running_task_notices_that_it_is_cancelled(swarm: Swarm) -> None:
    app = Recorder([Call("until_cancelled")], lambda app, task, _message: app.cancel(task))
    swarm.run(app)
    (told,) = app.told
    assert told.error is not None
    assert told.error.kind == "cancelled"


def test_waiting_tasks_are_cancelled_and_those_that_ended_are_not(
    swarm: Swarm, tmp_path: Path
) -> None:
    end = tmp_path / "end"
    holding = [Call("wait_for", str(end)) for _ in range(2)]
    waiting = [Call("note", str(tmp_path / "note"), str(n)) for n in range(50)]

    def cancel(app: Recorder, task: Any, message: str) -> None:
        app.cancel(waiting[::2])
        app.cancel(waiting[0])

    class Holds(Recorder):
        abstract = True

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if len(self.told) == len(waiting[::2]):
                end.touch()  # no sooner: the others would start before the worker has heard of it

    app = swarm.run(Holds([*holding, *waiting], cancel))
    assert {app.error_of(task).kind for task in waiting[::2]} == {"cancelled"}
    assert [app.of(task).result for task in waiting[1::2]] == [str(n) for n in range(1, 50, 2)]
    assert sorted(map(int, (tmp_path / "note").read_text().split())) == list(range(1, 50, 2))


def test_a_task_under_way_cannot_be_pushed_again(swarm: Swarm) -> None:
    class Twice(Recorder):
        abstract = True

        def start_processing(self) -> None:
            task = Call("add", 1, 1)
            self.push_task(task)
            with pytest.raises(UsageError, match="pushed already"):
                self.push_task(task)

    app = swarm.run(Twice())
    assert [one.result for one in app.told] == [2]
