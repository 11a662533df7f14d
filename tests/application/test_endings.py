"""How applications end: by themselves, when asked, when something raises, and without a master."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from typing import Any

import pytest

from concurrent_framework import (
    ApplicationNode,
    Farm,
    IApp,
    MasterNotFoundError,
    RefusedError,
    TaskError,
    implements,
)
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from tests.application.fake_master import FakeMaster
from tests.application.sample import Recorder, Square, run


def test_default_callbacks_log_and_end_with_1_after_a_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class App(ApplicationNode):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_tasks([Square(4), Square(-1)])

    assert run(App()) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == ["square of 4: 16"]
    assert err.splitlines()[0] == "error: task square of -1: ValueError: -1 is negative"
    assert "in __call__" in err


def test_an_application_with_nothing_to_do_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    class App(ApplicationNode):
        implements(IApp)

    assert run(App()) == 0
    assert "there was nothing to do" in capsys.readouterr().err


def test_ctrl_c_in_an_asyncio_task_of_the_application_ends_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class App(ApplicationNode):
        implements(IApp)

        def start_processing(self) -> None:
            asyncio.get_running_loop().create_task(self.work())

        async def work(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    caught: list[str] = []
    logger = logging.getLogger("asyncio")
    handler = logging.Handler()
    handler.emit = lambda record: caught.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        assert run(App()) == 130
        gc.collect()  # asyncio complains of a task when it is forgotten
    finally:
        logger.removeHandler(handler)
    assert not caught
    assert "Traceback" not in capsys.readouterr().err


def test_an_application_waits_for_its_own_asyncio_tasks() -> None:
    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.waiting = asyncio.get_running_loop().create_task(self.later())

        async def later(self) -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            self.push_task(Square(5))

    node = App()
    assert run(node) == 0
    assert [result for _, result, _ in node.ended()] == [25]


def test_a_callback_that_raises_ends_the_application(capsys: pytest.CaptureFixture[str]) -> None:
    class App(ApplicationNode):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_tasks([Square(1), Square(2)])

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            raise KeyError("oops")

    master = FakeMaster()
    assert run(App(), master) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert err.count("KeyError: 'oops'") == 1
    assert "concurrent_framework" not in err
    assert len(master.of(greet.Goodbye)) == 1


@pytest.mark.parametrize("where", ["generator", "task", "later", "loop"])
def test_whatever_raises_on_the_main_loop_ends_the_application(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class App(ApplicationNode):
        implements(IApp)

        def broken(self) -> Any:
            yield Square(1)
            raise RuntimeError("broken")

        async def broken_later(self) -> None:
            raise RuntimeError("broken")

        def start_processing(self) -> None:
            loop = asyncio.get_running_loop()
            if where == "generator":
                self.push_tasks(self.broken())
            elif where == "task":
                self.push_tasks([Square(1), "broken"])  # type: ignore[list-item]
            elif where == "later":
                self.waiting = loop.create_task(self.broken_later())
            else:
                loop.call_soon(lambda: list(self.broken()))

    assert run(App()) == 1
    assert "broken" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("returned", "said"),
    [(5, "error: 5 is no task system"), (Farm, "error: Farm is a class: push an instance")],
)
def test_a_system_that_is_none_is_one_line(
    returned: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class App(ApplicationNode):
        implements(IApp)

        def get_task_system(self) -> Any:
            return returned

    assert run(App()) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(said)


def test_sys_exit_in_a_callback_ends_with_its_code() -> None:
    class App(ApplicationNode):
        implements(IApp)

        def start_processing(self) -> None:
            raise SystemExit(7)

    assert run(App()) == 7


def test_ctrl_c_says_goodbye_and_ends_with_130() -> None:
    class App(ApplicationNode):
        implements(IApp)

        def start_processing(self) -> None:
            raise KeyboardInterrupt

    master = FakeMaster()
    assert run(App(), master) == 130
    assert len(master.of(greet.Goodbye)) == 1


def test_after_shutdown_no_callback_is_called_and_the_rest_is_not_acknowledged() -> None:
    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_tasks([Square(number) for number in range(10)])

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if len(self.ended()) == 3:
                self.shutdown_main_loop(5)

    node, master = App(), FakeMaster()
    assert run(node, master) == 5
    assert len(node.ended()) == 3
    assert master.of(app.Delivered)[-1].through == 3


def test_a_master_that_is_not_there_is_told_in_bounded_time() -> None:
    class App(ApplicationNode):
        implements(IApp)
        connect_timeout = 0.05

    def silent(_master: FakeMaster, _message: Any) -> list[Any]:
        return []

    with pytest.raises(MasterNotFoundError, match=r"waited 0\.05 s"):
        run(App(), FakeMaster(silent))


def test_a_refusal_is_told() -> None:
    def refuse(_master: FakeMaster, _message: Any) -> list[Any]:
        return [greet.Refused("token", "the token has expired")]

    class App(ApplicationNode):
        implements(IApp)

    with pytest.raises(RefusedError, match="the token has expired"):
        run(App(), FakeMaster(refuse))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", ["sync", "async", "idle"])
def test_signals_end_it_wherever_it_is(number: signal.Signals, code: int, where: str) -> None:
    def interrupt(_master: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, app.Submit) and where == "idle":
            os.kill(os.getpid(), number)
            return []
        return None

    class App(ApplicationNode):
        implements(IApp)
        cleaned = 0

        def get_task_system(self) -> Any:
            if where == "sync":
                os.kill(os.getpid(), number)
            elif where == "async":
                return self.wait()
            return None

        async def wait(self) -> None:
            try:
                asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
                await asyncio.Event().wait()
            finally:
                self.cleaned += 1

        def start_processing(self) -> None:
            self.push_task(Square(1))

    node, master = App(), FakeMaster(interrupt)
    before = signal.getsignal(signal.SIGINT)
    assert run(node, master) == code
    assert signal.getsignal(signal.SIGINT) is before
    assert node.cleaned == (where == "async")
    assert len(master.of(greet.Goodbye)) == 1
