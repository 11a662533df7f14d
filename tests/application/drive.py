"""Drives a task system as a host does, with tasks that run here, one after the other."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.model.errors import TaskFailed
from concurrent_framework.tasks.failures import describe_failure
from concurrent_framework.tasks.payload import dump_result, dump_state, load_result, load_task
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class FakeSystemMaster:
    """A `SystemMaster` without a master."""

    workers = 1
    executors = 2

    def __init__(self) -> None:
        self.running: list[Task] = []
        self.sources: deque[Iterator[Task]] = deque()
        self.noted: list[tuple[float, float, str]] = []
        self.count = 0
        self.log: Any = None
        self.stats: Any = None

    @property
    def outstanding(self) -> int:
        return len(self.running)

    @property
    def exhausted(self) -> bool:
        return not self.sources

    def push_task(self, task: Task) -> None:
        self.count += 1
        task.task_id = self.count
        self.running.append(task)

    def push_tasks(self, tasks: Iterable[Task]) -> None:
        self.sources.append(iter(tasks))

    def cancel(self, what: Any = None) -> None:
        raise AssertionError

    def progress(self, done: float, total: float = 1.0, message: str = "") -> None:
        self.noted.append((done, total, message))

    def draw(self, room: int) -> None:
        while self.sources and len(self.running) < room:
            task = next(self.sources[0], None)
            if task is None:
                self.sources.popleft()
            else:
                self.push_task(task)


def drive(system: Any, *, seed: int = 0, window: int = 8) -> tuple[Any, FakeSystemMaster]:
    """Run a system to its end, ending tasks in random order; return its result and the master."""
    order = random.Random(seed)
    system = load_task(type(system), dump_state(system))
    master = FakeSystemMaster()
    system.init_system(master)
    take(master, system.generate_tasks(master))
    while not system.is_complete(master):
        master.draw(window)
        if not master.running:
            assert not master.exhausted or system.is_complete(master), "stuck"
            continue
        task = master.running.pop(order.randrange(len(master.running)))
        result, error = None, None
        try:
            result = load_result(dump_result(task()))
        except Exception as problem:
            error = TaskFailed(describe_failure(problem))
        take(master, system.task_finished(master, task, result, error))
    result = system.gather_result(master)
    dump_state(system)
    return load_result(dump_result(result)), master


def take(master: FakeSystemMaster, tasks: Any) -> None:
    if isinstance(tasks, Task):
        master.push_task(tasks)
    elif tasks is not None:
        master.push_tasks(tasks)
