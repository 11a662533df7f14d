"""Task systems whose hosts are killed, and tasks whose executors and workers are: they go on."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from concurrent_framework import Farm, MapReduce, Resources, Search, TaskGraph, TaskSystem
from tests.cluster.applications import Recorder
from tests.cluster.place import until
from tests.cluster.tasks import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from concurrent_framework import SystemMaster, Task, TaskError
    from tests.cluster.swarm import Swarm

RESTORED = "goes on from its last checkpoint"


class Besieged(Recorder):
    """Runs a task system, and kills its host whenever that has come so far.

    Args:
        system: the system.
        swarm: where it runs.
        moments: how many tasks have ended when its host is killed.

    """

    abstract = True

    def __init__(self, system: TaskSystem, swarm: Swarm, moments: Sequence[int]) -> None:
        super().__init__()
        self.system = system
        self.swarm = swarm
        self.moments = list(moments)
        self.ended: list[tuple[Any, TaskError | None]] = []
        self.killed: set[int] = set()
        self.before = swarm.master.err.count(RESTORED)

    def get_task_system(self) -> TaskSystem:
        return self.system

    def work_finished(self, result: Any, task_system: Any) -> None:
        assert task_system is self.system
        self.ended.append((result, None))

    def work_failed(self, error: TaskError, task_system: Any) -> None:
        self.ended.append((None, error))

    def system_progress(self, done: float, total: float, message: str) -> None:
        late = message.isdecimal() and int(message) in self.killed
        if self.moments and done >= self.moments[0] and not late:
            self.moments.pop(0)
            self.kill()

    def kill(self) -> None:
        # There is none if this was the last that it had to say.
        for host in hosts_of(self.swarm):
            if host not in self.killed:
                self.killed.add(host)
                os.kill(host, signal.SIGKILL)

    @property
    def restored(self) -> int:
        return self.swarm.master.err.count(RESTORED) - self.before


def hosts_of(swarm: Swarm) -> list[int]:
    """Return the processes that the master's template has forked."""
    [template] = psutil.Process(swarm.master.pid).children()
    return [one.pid for one in template.children() if one.status() != psutil.STATUS_ZOMBIE]


def slow_square(number: int) -> int:
    time.sleep(0.02)
    return number**2


def slow_letters(word: str) -> list[tuple[str, int]]:
    time.sleep(0.02)
    return [(letter, 1) for letter in word]


def total(_letter: str, ones: list[int]) -> int:
    time.sleep(0.02)
    return sum(ones)


def slow_sum(numbers: list[int]) -> int:
    time.sleep(0.02)
    return sum(numbers)


def is_last(number: int) -> bool:
    return number == 79**2


def tree() -> TaskGraph:
    made = TaskGraph()
    layer = [made.add(slow_square, number) for number in range(64)]
    while len(layer) > 1:
        layer = [
            made.add(slow_sum, layer[n : n + 2], name=f"{n} of {len(layer)}")
            for n in range(0, len(layer), 2)
        ]
    return made


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Farm(slow_square, range(80)), [n**2 for n in range(80)]),
        (
            lambda: MapReduce(slow_letters, total, ["abcdefghij"] * 70, partitions=10),
            dict.fromkeys("abcdefghij", 70),
        ),
        (lambda: Search(slow_square, is_last, inputs=range(80)), 79**2),
        (tree, {"0 of 2": sum(n**2 for n in range(64))}),
    ],
    ids=["Farm", "MapReduce", "Search", "TaskGraph"],
)
def test_ready_made_systems_survive_their_hosts(
    swarm: Swarm, make: Callable[[], TaskSystem], expected: object
) -> None:
    app = swarm.run(Besieged(make(), swarm, [24, 48]))
    assert app.ended == [(expected, None)]
    assert app.restored >= 1


class Diary(TaskSystem):
    """Keeps a checkpoint now and then, and notes what it was told."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.told: list[int] = []

    def generate_tasks(self, master: SystemMaster) -> Iterator[Task]:
        return (Call("add", number, 0) for number in range(self.size))

    def task_finished(
        self, master: SystemMaster, task: Any, result: Any, error: TaskError | None
    ) -> Any:
        self.told.append(result)
        master.progress(len(self.told), self.size, str(os.getpid()))
        if len(self.told) % 50 == 0:
            master.checkpoint()
        return Call("add", result, self.size) if result < self.size and result % 3 == 0 else None

    def gather_result(self, master: SystemMaster) -> list[int]:
        return self.told


def test_every_outcome_is_told_once_however_often_the_host_dies(swarm: Swarm) -> None:
    app = swarm.run(Besieged(Diary(3000), swarm, range(400, 4000, 700)))
    [(told, error)] = app.ended
    assert error is None
    assert sorted(told) == sorted([*range(3000), *range(3000, 6000, 3)])
    assert app.restored >= 3


class Locked(Diary):
    """Cannot be pickled."""

    def init_system(self, master: SystemMaster) -> None:
        self.lock = threading.Lock()

    def gather_result(self, master: SystemMaster) -> list[int]:
        del self.lock
        return self.told


def test_a_system_that_cannot_be_pickled_begins_again(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    app = swarm.run(Besieged(Locked(300), swarm, [100]))
    [(told, error)] = app.ended
    assert error is None
    assert sorted(told) == sorted([*range(300), *range(300, 600, 3)])
    assert app.restored == 0
    shown = capsys.readouterr()
    assert "no checkpoint can be made of Locked" in shown.out + shown.err
    assert "attribute lock" in shown.out + shown.err


# Checkpoints of tasks


def test_a_task_goes_on_when_its_executor_dies(swarm: Swarm, tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    app = swarm.run(Recorder([Call("go_on", str(steps), 3)]))
    assert app.results() == ["went on at 2"]
    assert steps.read_text().split() == ["0", "1", "2"]


def test_a_task_goes_on_when_its_worker_dies(frail: Swarm, tmp_path: Path) -> None:
    first = frail.add_worker("c1", "--label", "c")
    gate = tmp_path / "gate"
    task = Call("checkpoint_and_wait", str(gate))
    task.resources = Resources(labels=("c",))

    def kill(_app: Recorder, _task: Any, message: str) -> None:
        if message == "ready" and first.process.poll() is None:
            first.kill()
            until(lambda: first.process.poll() is not None)
            frail.start_worker("c2", "--label", "c")

    app = frail.run(Recorder([task], kill))
    assert app.results() == [{"so": "far"}]
    assert task.slave_id == "c2"
    frail.end_worker("c2")


def test_what_cannot_be_a_checkpoint_is_said_where_it_is_made(swarm: Swarm) -> None:
    large, locked = Call("checkpoint_of", 17 << 20), Call("checkpoint_of", 0)
    app = swarm.run(Recorder([large, locked]))
    assert "17.0 MiB, 16 MiB at most" in app.error_of(large).message
    assert "the checkpoint cannot be kept" in app.error_of(locked).message
    assert "lock" in app.error_of(locked).message


class Licensed(TaskSystem):
    """Fails as long as a file is missing that it needs after its first tasks."""

    def __init__(self, licence: str) -> None:
        self.licence = licence
        self.told: list[int] = []
        self.begun = 0

    def init_system(self, _master: SystemMaster) -> None:
        self.begun += 1

    def generate_tasks(self, _master: SystemMaster) -> Iterator[Task]:
        return (Call("add", number, 0) for number in range(20))

    def task_finished(self, master: SystemMaster, _task: Task, result: int, error: Any) -> None:
        assert error is None
        if len(self.told) == 10:
            with open(self.licence, encoding="utf-8"):
                pass
        self.told.append(result)
        if len(self.told) == 5:
            master.checkpoint()

    def gather_result(self, _master: SystemMaster) -> tuple[int, list[int]]:
        return self.begun, sorted(self.told)


def test_a_failed_system_begins_again_by_concurrent_retry(swarm: Swarm, tmp_path: Path) -> None:
    licence, gate = tmp_path / "licence", tmp_path / "gate"

    class Persistent(Recorder):
        abstract = True
        errors: list[str]
        harvest: Any = None

        def get_task_system(self) -> TaskSystem:
            return Licensed(str(licence))

        def start_processing(self) -> None:
            self.errors = []
            self.push_task(Call("wait_for", str(gate)))

        def work_failed(self, error: TaskError, _system: Any) -> None:
            self.errors.append(str(error))
            [failed] = [
                one for one in swarm.query("failed") if one["application_name"] == "Persistent"
            ]
            licence.touch()
            swarm.order("retry", target=failed["task"])

        def work_finished(self, result: Any, system: Any) -> None:
            assert isinstance(system, Licensed)
            assert len(system.told) == 20
            self.harvest = result
            gate.touch()

    app = Persistent()
    assert swarm.run(app).exit_code == 0
    assert len(app.errors) == 1
    assert app.harvest == (1, list(range(20)))
