"""Connections that break, masters that fall silent, callbacks that take long."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from concurrent_framework import IApp, TaskError, implements
from concurrent_framework.application.connection import Connection
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from tests.application.fake_master import FakeMaster
from tests.application.sample import Recorder, Square

if TYPE_CHECKING:
    from concurrent_framework.transport.memory import MemoryClient


class Clients:
    """Makes connections and keeps what they are made of."""

    def __init__(self, master: FakeMaster) -> None:
        self._master = master
        self.made: list[MemoryClient] = []

    def __call__(self) -> MemoryClient:
        self.made.append(self._master.server.connect())
        return self.made[-1]


def test_a_broken_connection_costs_nothing_and_nothing_is_told_twice() -> None:
    master = FakeMaster(window_tasks=100)
    clients = Clients(master)

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_tasks(Square(number) for number in range(500))

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if len(self.ended()) % 50 == 0:
                clients.made[0].break_off()

        def master_disconnected(self, reason: str) -> None:
            raise AssertionError(reason)

    node = App()
    with master.running():
        node.link = Connection("memory", transport=clients)
        assert node.app_main() == 0
    assert sorted(result for _, result, _ in node.ended()) == [n**2 for n in range(500)]
    hellos = master.of(greet.Hello)
    assert len(hellos) > 3
    assert hellos[0].delivered == -1
    assert all(hello.delivered >= 0 for hello in hellos[1:])


def test_a_master_that_goes_and_comes_back_is_told() -> None:
    told: list[str] = []

    def go_away(master: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, app.Submit) and len(master.of(greet.Hello)) == 1:
            return [greet.Goodbye("it is restarted")]
        return None

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Square(2))

        async def master_disconnected(self, reason: str) -> None:
            told.append(reason)
            # What the session does after a while, the test does at once.
            clients.made[0].break_off()
            master.say(greet.Resync())

        def master_reconnected(self) -> None:
            told.append("back")

    master = FakeMaster(go_away)
    clients = Clients(master)
    node = App()
    with master.running():
        node.link = Connection("memory", transport=clients)
        assert node.app_main() == 0
    assert told == ["it is restarted", "back"]
    assert [result for _, result, _ in node.ended()] == [4]


def test_a_callback_that_takes_long_does_not_look_like_a_death() -> None:
    alive = threading.Event()

    def listen(_master: FakeMaster, message: Any) -> list[Any] | None:
        if isinstance(message, greet.Heartbeat):
            alive.set()
        return None

    class App(Recorder):
        implements(IApp)

        def start_processing(self) -> None:
            assert alive.wait(30.0)
            self.push_task(Square(3))

    master = FakeMaster(listen, lease=0.3)
    node = App()
    with master.running() as link:
        node.link = link
        assert node.app_main() == 0
    assert [result for _, result, _ in node.ended()] == [9]


def test_any_thread_may_have_the_main_loop_call_something() -> None:
    class App(Recorder):
        implements(IApp)
        ends_when_idle = False

        def start_processing(self) -> None:
            self.thread = threading.Thread(target=self.elsewhere)
            self.thread.start()

        def elsewhere(self) -> None:
            for number in range(10):
                self.call_soon(self.push_task, Square(number))

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if len(self.ended()) == 10:
                self.shutdown_main_loop()

    node = App()
    with FakeMaster().running() as link:
        node.link = link
        assert node.app_main() == 0
    node.thread.join()
    node.call_soon(node.push_task, Square(1))
    assert sum(result for _, result, _ in node.ended()) == sum(n**2 for n in range(10))
