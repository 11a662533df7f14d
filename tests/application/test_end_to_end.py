"""Applications and task systems on a real cluster of this machine."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import (
    ApplicationNode,
    Farm,
    IApp,
    LocalCluster,
    MapReduce,
    Search,
    Task,
    TaskError,
    TaskGraph,
    TaskSystem,
    current_task,
    implements,
    task,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(workers=WORKERS) as cluster:
        yield cluster


class Collector(ApplicationNode):
    """Keeps what it is told."""

    implements(IApp)
    work: Any = None

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}
        self.errors: dict[str, TaskError] = {}
        self.order: list[str] = []

    def task_finished(self, task: Any, result: Any, error: TaskError | None) -> Any:
        self.order.append(task.name)
        if error is None:
            self.results[task.name] = result
        else:
            self.errors[task.name] = error

    def work_finished(self, result: Any, task_system: Any) -> None:
        self.results["work"] = result
        self.results["system"] = task_system

    def work_failed(self, error: TaskError, task_system: Any) -> None:
        self.errors["work"] = error


def push(cluster: LocalCluster, *tasks: Task) -> Collector:
    class Pushes(Collector):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_tasks(tasks)

    return cluster.run(Pushes)


def work(cluster: LocalCluster, system: TaskSystem) -> Collector:
    class Works(Collector):
        implements(IApp)

        def get_task_system(self) -> TaskSystem:
            return system

    return cluster.run(Works)


class Act(Task):
    def __init__(self, what: str, **options: Any) -> None:
        super().__init__(what)
        for option, value in options.items():
            setattr(self, option, value)

    def __call__(self) -> Any:
        what = self.name
        if what == "raise":
            raise LookupError("no such thing")
        if what == "exit":
            raise SystemExit(3)
        if what == "end":
            print("last words", file=__import__("sys").stderr, flush=True)
            os._exit(7)
        if what == "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what in ("hang", "long"):
            time.sleep(60)
        if what == "lock":
            return __import__("threading").Lock()
        if what == "rebind":
            self.seen = os.getpid()
        return what.upper()


@task
def square(number: int) -> int:
    return number**2


class Walk(Task):
    def __init__(self, depth: int, path: str = "r") -> None:
        super().__init__(path)
        self.depth = depth

    def __call__(self) -> int:
        if self.depth:
            current_task().push_tasks(Walk(self.depth - 1, f"{self.name}{n}") for n in range(2))
        return self.depth


class Tree(TaskSystem):
    def __init__(self) -> None:
        self.names: list[str] = []

    def generate_tasks(self, master: Any) -> list[Task]:
        return [Walk(3)]

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        assert error is None
        self.names.append(task.name)

    def gather_result(self, master: Any) -> int:
        return len(self.names)


class Telling(Task):
    def __call__(self) -> int:
        return 1

    def finished(self, result: Any, error: TaskError | None) -> None:
        print("told", result, error, os.getpid())


def test_many_small_tasks(cluster: LocalCluster) -> None:
    class App(Collector):
        implements(IApp)
        total = 0

        def start_processing(self) -> None:
            self.push_tasks(square(number) for number in range(5000))
            for number in range(5000):
                self.push_task(square(number))

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            self.total += result

    assert cluster.run(App).total == 2 * sum(n**2 for n in range(5000))


def test_each_failure_is_told_once_with_its_cause(cluster: LocalCluster) -> None:
    once = {"max_attempts": 1}
    app = push(
        cluster,
        *(Act(what) for what in ("raise", "exit", "lock", "fine", "rebind")),
        *(Act(what, **once) for what in ("end", "signal")),
        Act("hang", timeout=0.2),
    )
    assert sorted(app.order) == sorted(
        ["raise", "exit", "lock", "fine", "rebind", "end", "signal", "hang"]
    )
    assert app.results == {"fine": "FINE", "rebind": "REBIND"}
    kinds = {name: error.kind for name, error in app.errors.items()}
    assert kinds == {
        "raise": "failed",
        "exit": "failed",
        "lock": "not_serializable",
        "end": "worker_lost",
        "signal": "worker_lost",
        "hang": "timeout",
    }
    assert "LookupError: no such thing" in app.errors["raise"].traceback
    assert app.errors["signal"].certificate.signal == signal.SIGSEGV
    assert app.errors["end"].certificate.exit_code == 7
    assert "last words" in app.errors["end"].certificate.stderr
    with pytest.raises(LookupError):
        app.errors["raise"].raise_()


def test_tasks_under_way_can_be_cancelled(cluster: LocalCluster) -> None:
    class App(Collector):
        implements(IApp)

        def start_processing(self) -> None:
            self.long = [Act("long") for _ in range(WORKERS + 3)]
            self.push_tasks([Act("fine"), *self.long])

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if task.name == "fine":
                self.cancel(self.long)

    app = cluster.run(App)
    assert app.order[0] == "fine"
    assert app.order.count("long") == WORKERS + 3
    assert app.errors["long"].kind == "cancelled"


def test_tasks_make_tasks(cluster: LocalCluster) -> None:
    app = push(cluster, Walk(3))
    assert len(app.results) == 15
    assert app.results["r"] == 3
    assert app.results["r010"] == 0


def test_finished_runs_on_the_masters_side(
    cluster: LocalCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    class Other(Telling):
        """Defined after the host was started."""

    app = push(cluster, Telling("one"), Telling("two"))
    assert app.results == {"one": 1, "two": 1}
    lines = sorted(capsys.readouterr().out.splitlines())
    assert [line.rpartition(" ")[0] for line in lines] == [
        "one | told 1 None",
        "two | told 1 None",
    ]
    assert str(os.getpid()) not in lines[0]


def test_finished_of_classes_that_come_up_later(
    cluster: LocalCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    class Later(Telling):
        pass

    class App(Collector):
        implements(IApp)

        def start_processing(self) -> None:
            self.push_task(Telling("one"))

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            if task.name == "one":
                self.push_task(Later("two"))

    assert cluster.run(App).results == {"one": 1, "two": 1}
    out, err = capsys.readouterr()
    assert err == ""
    assert [line[:14] for line in out.splitlines()] == ["one | told 1 N", "two | told 1 N"]


def cube(number: int) -> int:
    return number**3


def add(one: int, other: int) -> int:
    return one + other


def letters(word: str) -> list[tuple[str, int]]:
    return [(letter, 1) for letter in word]


def total(_letter: str, ones: list[int]) -> int:
    return sum(ones)


def find(numbers: range) -> int | None:
    return 617 if 617 in numbers else None


def join(parts: list[int]) -> list[int]:
    return parts


def graph() -> TaskGraph:
    made = TaskGraph()
    made.add(join, [made.add(cube, number) for number in range(3)])
    return made


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Farm(cube, range(300)), [n**3 for n in range(300)]),
        (lambda: Farm(cube, range(300), combine=add), sum(n**3 for n in range(300))),
        (lambda: Farm(square(n) for n in range(3)), [0, 1, 4]),
        (lambda: MapReduce(letters, total, ["abc", "ab"]), {"a": 2, "b": 2, "c": 1}),
        (lambda: Search(find, inputs=[range(n, n + 10) for n in range(0, 5000, 10)]), 617),
        (graph, {"join": [0, 1, 8]}),
        (Tree, 15),
    ],
)
def test_systems(cluster: LocalCluster, make: Any, expected: Any) -> None:
    app = work(cluster, make())
    assert app.errors == {}
    assert app.results["work"] == expected


def test_a_systems_instance_comes_back_as_it_was_at_its_end(cluster: LocalCluster) -> None:
    system = Tree()
    app = work(cluster, system)
    assert app.results["system"] is system
    assert len(system.names) == 15


def test_a_system_fails_with_its_task(cluster: LocalCluster) -> None:
    app = work(cluster, Farm([Act("fine"), Act("raise")]))
    error = app.errors["work"]
    assert (error.kind, error.type, error.message) == (
        "failed",
        "LookupError",
        "task raise: no such thing",
    )
    assert error.certificate.worker
    with pytest.raises(LookupError):
        error.raise_()


def test_a_system_can_be_cancelled(cluster: LocalCluster) -> None:
    class App(Collector):
        implements(IApp)

        def get_task_system(self) -> TaskSystem:
            self.system = Farm([Act("long"), Act("long")])
            return self.system

        def push_tasksystem_response(self, result: Any) -> None:
            self.cancel(self.system)

    assert cluster.run(App).errors["work"].kind == "cancelled"


def test_a_large_result_of_a_system(cluster: LocalCluster) -> None:
    app = work(cluster, Farm(bytes, [1 << 20] * 70))
    assert [len(result) for result in app.results["work"]] == [1 << 20] * 70
