"""Applications against a master in memory: what users write, and what they are told."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from concurrent_framework import (
    ApplicationNode,
    IApp,
    NotSerializable,
    PushReceipt,
    Task,
    TaskError,
    UsageError,
    implements,
)
from concurrent_framework.application.connection import Connection
from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol.tasks import OutputLine
from tests.application.fake_master import FakeMaster
from tests.application.sample import Recorder, Square, run


def test_the_seeds_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    class SimpleTask(Task):
        def __init__(self, name: str, client_id: str) -> None:
            Task.__init__(self, name, None, client_id)

        def __call__(self) -> str:
            return "Hello World"

    globals()["SimpleTask"] = SimpleTask
    SimpleTask.__qualname__ = "SimpleTask"

    class SimpleConcurrentApp(ApplicationNode):
        implements(IApp)

        def get_task_system(self) -> None:
            return None

        def start_processing(self) -> None:
            self.log.info("Starting computation")
            self.push_task(SimpleTask("my_task", self.node_id_str))

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            self.log.info(result)
            self.shutdown_main_loop()

        def push_task_response(self, result: Any) -> None: ...
        def push_task_failed(self, result: Any) -> None: ...
        def push_tasks_response(self, result: Any) -> None: ...
        def push_tasks_failed(self, result: Any) -> None: ...

    assert run(SimpleConcurrentApp()) == 0
    assert capsys.readouterr().out.splitlines() == ["Starting computation", "Hello World"]


def test_the_very_instance_comes_back_with_its_changes() -> None:
    pushed = Square(3)

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(pushed)

    node = App()
    assert run(node) == 0
    [(task, result, error)] = node.ended()
    assert (task, result, error) == (pushed, 9, None)
    assert (task.seen, task.data, task.slave_id, task.task_id) == (3, None, "worker-1", 1)
    assert task.client_id == node.node_id_str
    assert (node.stats.pushed, node.stats.finished, node.stats.outstanding) == (1, 1, 0)
    assert (node.stats.workers, node.stats.executors) == (1, 2)


def test_an_error_carries_the_remote_traceback_and_can_be_raised() -> None:
    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Square(-2))

    node = App()
    assert run(node) == 0
    [(_, result, error)] = node.ended()
    assert result is None
    assert (error.kind, error.type, error.message) == ("failed", "ValueError", "-2 is negative")
    assert "in __call__" in error.traceback
    with pytest.raises(ValueError, match="-2 is negative"):
        error.raise_()


def test_callbacks_may_be_asynchronous_and_run_one_at_a_time() -> None:
    class App(Recorder):
        implements(IApp)
        running = 0
        most = 0

        async def start_processing(self) -> None:
            await asyncio.sleep(0)
            self.push_tasks([Square(number) for number in range(20)])

        async def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(0)
            self.running -= 1
            super().task_finished(task, result, error)

    node = App()
    assert run(node) == 0
    assert [result for _, result, _ in node.ended()] == [number**2 for number in range(20)]
    assert node.most == 1


def test_a_generator_is_drawn_no_further_than_the_window() -> None:
    master = FakeMaster(window_tasks=50)
    drawn_ahead = []

    class App(Recorder):
        implements(IApp)
        drawn = 0

        def tasks(self) -> Any:
            for number in range(2000):
                self.drawn += 1
                drawn_ahead.append(self.drawn - len(self.ended()))
                yield Square(number)

        def start_processing(self) -> None:
            self.push_tasks(self.tasks())

    node = App()
    assert run(node, master) == 0
    assert sorted(result for _, result, _ in node.ended()) == [n**2 for n in range(2000)]
    assert max(drawn_ahead) <= 51
    assert master.most_unacknowledged <= 50


def test_more_than_the_window_may_be_pushed_one_by_one() -> None:
    master = FakeMaster(window_tasks=50)

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            for number in range(1000):
                self.push_task(Square(number))

    node = App()
    assert run(node, master) == 0
    assert len(node.ended()) == 1000
    assert max(len(one.tasks) for one in master.of(app.Submit)) <= 256


def test_receipts_tell_what_is_safe() -> None:
    told: list[tuple[str, PushReceipt]] = []

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Square(1))
            self.push_tasks(Square(n) for n in range(10))
            self.push_tasks([])

        def push_task_response(self, result: PushReceipt) -> None:
            told.append(("task", result))

        def push_tasks_response(self, result: PushReceipt) -> None:
            told.append(("tasks", result))

    assert run(App()) == 0
    assert sorted((kind, receipt.count, receipt.item is None) for kind, receipt in told) == [
        ("task", 1, False),
        ("tasks", 0, True),
        ("tasks", 10, True),
    ]


def test_what_the_master_does_not_take_is_told() -> None:
    failed: list[PushReceipt] = []

    def reject(master: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, app.Submit):
            master.accepted += len(message.tasks)
            failure = Failure("failed", "LimitError", "too many")
            return [app.Rejected(message.first, len(message.tasks), failure)]
        return None

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Square(1))

        def push_task_failed(self, result: PushReceipt) -> None:
            failed.append(result)

    node = App()
    assert run(node, FakeMaster(reject)) == 0
    assert [str(receipt.error) for receipt in failed] == ["too many"]
    assert node.ended() == []


def test_mistakes_are_told_at_the_push() -> None:
    class App(Recorder):
        implements(IApp)
        seen: list[str] = []  # noqa: RUF012

        def start_processing(self) -> None:
            unsendable = Square(1)
            unsendable.handle = threading.Lock()  # type: ignore[attr-defined]
            twice = Square(2)
            self.push_task(twice)
            attempts: list[tuple[type[Exception], Any]] = [
                (UsageError, lambda: self.push_task(twice)),
                (UsageError, lambda: self.push_task("a task")),  # type: ignore[arg-type]
                (UsageError, lambda: self.push_tasks(5)),  # type: ignore[arg-type]
                (UsageError, lambda: self.push_tasksystem(Square(3))),
                (UsageError, lambda: self.cancel(5)),
                (NotSerializable, lambda: self.push_task(unsendable)),
            ]
            for kind, attempt in attempts:
                with pytest.raises(kind) as caught:
                    attempt()
                self.seen.append(str(caught.value))

    node = App()
    assert run(node) == 0
    assert [result for _, result, _ in node.ended()] == [4]
    assert "handle" in node.seen[-1]
    with pytest.raises(UsageError, match="not connected yet"):
        App().push_task(Square(1))
    with pytest.raises(UsageError, match="run\\(App\\)"):
        App().app_main()


@dataclass(frozen=True)
class Frozen(Task):
    number: int

    def __call__(self) -> int:
        return self.number + 1


def test_frozen_tasks_travel_too() -> None:
    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Frozen(1))

    node = App()
    assert run(node) == 0
    [(task, result, _)] = node.ended()
    assert (task.number, task.task_id, task.slave_id, result) == (1, 1, "worker-1", 2)


def test_a_subclass_need_not_call_our_init() -> None:
    class App(Recorder):
        implements(IApp)

        def __init__(self, number: int) -> None:
            self.number = number

        def start_processing(self) -> None:
            self.push_task(Square(self.number))

    node = App(6)
    assert run(node) == 0
    assert [result for _, result, _ in node.ended()] == [36]


def test_cancel_all_stops_generators_and_asks_the_master() -> None:
    master = FakeMaster(window_tasks=5)

    def cancel(fake: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, app.CancelTasks):
            held, fake.held = fake.held, []
            failure = Failure("cancelled", "TaskCancelled", "cancelled")
            for outcome in held:
                outcome.failure = failure
            return fake.deliver(held)
        return None

    master = FakeMaster(cancel, window_tasks=5)
    master.hold = True

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_tasks(Square(number) for number in range(10**9))

        def push_task_response(self, result: PushReceipt) -> None:
            raise AssertionError

        def push_tasks_response(self, result: PushReceipt) -> None:
            self.told = result.count

        async def get_task_system(self) -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(0, self.cancel_when_full)

        def cancel_when_full(self) -> None:
            if self.stats.outstanding < 5:
                asyncio.get_running_loop().call_soon(self.cancel_when_full)
            else:
                self.cancel()

    node = App()
    assert run(node, master) == 0
    assert [error.kind for _, _, error in node.ended()] == ["cancelled"] * 5
    assert [message.sequences for message in master.of(app.CancelTasks)] == [()]


def test_an_application_may_count_what_is_outstanding() -> None:
    class App(Recorder):
        implements(IApp)
        ends_when_idle = False

        def start_processing(self) -> None:
            self.push_tasks([Square(number) for number in range(600)])

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if not self.stats.outstanding:
                self.shutdown_main_loop()

    node = App()
    assert run(node) == 0
    assert len(node.ended()) == 600


def test_output_of_tasks_is_shown_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    def print_too(master: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, app.Submit):
            lines = (
                OutputLine(1, "one", "w", "stdout", "hello\nthere"),
                OutputLine(1, "one", "w", "stderr", "oh"),
                OutputLine(1, "one", "w", "warning", "mind"),
            )
            return [app.Output(lines), *master.usual(message)]
        return None

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Square(1))

    assert run(App(), FakeMaster(print_too)) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["one | hello", "one | there"]
    assert err.splitlines() == ["one | oh", "warning: one | mind"]


def test_tasks_made_by_tasks_are_rebuilt_and_waited_for() -> None:
    from tests.application.fake_master import spawned

    def spawn(master: FakeMaster, message: Any) -> list[Any] | None:
        if not isinstance(message, app.Submit):
            return None
        accepted, deliver = master.usual(message)
        row = message.tasks[0]
        deliver.outcomes[0].children = 1
        child = master.run_task(spawned(0), row)
        return [accepted, deliver, *master.deliver([child], {0: row})]

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Square(7))

    node = App()
    assert run(node, FakeMaster(spawn)) == 0
    [(parent, _, _), (child, result, _)] = node.ended()
    assert (type(child), child.name, result) == (Square, "square of 7", 49)
    assert parent is not child


def test_a_thousand_single_pushes_travel_in_few_envelopes() -> None:
    master = FakeMaster(window_tasks=100_000)

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            for number in range(1000):
                self.push_task(Square(number))

    node = App()
    assert run(node, master) == 0
    assert [len(one.tasks) for one in master.of(app.Submit)] == [256, 256, 256, 232]
    assert len(node.ended()) == 1000


def test_connection_does_not_show_its_token() -> None:
    assert "secret" not in repr(Connection("tcp://host:1", "key", "secret"))
