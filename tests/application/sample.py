"""Tasks and an application that the tests of applications share."""

from __future__ import annotations

from typing import Any

from concurrent_framework import ApplicationNode, IApp, Task, TaskError, implements
from tests.application.fake_master import FakeMaster


class Square(Task):
    def __init__(self, number: int) -> None:
        super().__init__(f"square of {number}")
        self.number = number
        self.data: list[int] | None = [number]

    def __call__(self) -> int:
        if self.number < 0:
            raise ValueError(f"{self.number} is negative")
        self.seen = self.number
        return self.number**2

    def clean_up(self) -> None:
        self.data = None


class Recorder(ApplicationNode):
    abstract = True
    implements(IApp)

    def task_finished(self, task: Any, result: Any, error: TaskError | None) -> Any:
        self.ended().append((task, result, error))

    def ended(self) -> list[Any]:
        ended: list[Any] = self.__dict__.setdefault("_ended", [])
        return ended


def run(node: ApplicationNode, master: FakeMaster | None = None) -> int:
    with (master or FakeMaster()).running() as link:
        node.link = link
        return node.app_main()
