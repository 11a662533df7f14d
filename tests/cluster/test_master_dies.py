"""The master is killed and started again: nothing is lost, and nothing that runs is run again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil

from concurrent_framework import Farm
from tests.cluster.applications import Recorder
from tests.cluster.place import until
from tests.cluster.tasks import Call
from tests.cluster.test_systems import Works

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from concurrent_framework import TaskError
    from tests.cluster.swarm import Swarm


class Interrupted(Recorder):
    """Has something done when the n-th outcome is told, for some n."""

    abstract = True

    def __init__(self, tasks: list[Any], when: dict[int, Callable[[], None]]) -> None:
        super().__init__(tasks)
        self.when = when

    def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
        super().task_finished(task, result, error)
        then = self.when.get(len(self.told))
        if then is not None:
            then()


def lines(path: Path) -> Counter[str]:
    return Counter(path.read_text().split())


def test_running_tasks_go_on_when_the_master_is_killed(
    make_swarm: Callable[..., Swarm], tmp_path: Path
) -> None:
    swarm = make_swarm()
    swarm.add_worker("w1", executors=4)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    held = [Call("hold", str(begun), f"held{number}", str(gate)) for number in range(3)]
    held[2].idempotent = False
    quick = [Call("add", number, 1) for number in range(50)]

    def kill() -> None:
        until(lambda: begun.exists() and len(lines(begun)) == 3, "the tasks to begin")
        swarm.kill_master()
        swarm.start_master()
        gate.touch()

    app = swarm.run(Interrupted([*held, *quick], {30: kill}))
    assert app.exit_code == 0
    assert app.results() == ["held0", "held1", "held2", *range(1, 51)]
    assert len(app.told) == 53
    assert lines(begun) == {"held0": 1, "held1": 1, "held2": 1}
    swarm.stop()


def test_the_same_master_cannot_be_started_twice(make_swarm: Callable[..., Swarm]) -> None:
    swarm = make_swarm()
    done = swarm.place.run("master", "--name", "m")
    assert done.code == 2
    assert f"master m runs already (pid {swarm.master.pid})" in done.err
    swarm.stop()


def test_every_outcome_is_told_once_though_the_master_is_killed_again_and_again(
    make_swarm: Callable[..., Swarm], tmp_path: Path
) -> None:
    swarm = make_swarm()
    swarm.add_worker("w1")
    swarm.add_worker("w2")
    ran = tmp_path / "ran"
    tasks = [Call("note", str(ran), f"t{number}") for number in range(3000)]
    for task in tasks[::3]:
        task.idempotent = False

    def kill() -> None:
        swarm.kill_master()
        swarm.start_master()

    app = swarm.run(Interrupted(tasks, {500: kill, 1200: kill, 2100: kill}))
    assert app.exit_code == 0
    assert app.results() == [f"t{number}" for number in range(3000)]
    assert len(app.told) == 3000
    runs = lines(ran)
    assert all(runs[f"t{number}"] == 1 for number in range(0, 3000, 3))
    swarm.stop()


def test_a_detached_application_outlives_the_master(
    make_swarm: Callable[..., Swarm], tmp_path: Path
) -> None:
    swarm = make_swarm()
    swarm.add_worker("w1")
    gate = tmp_path / "gate"
    tasks: list[Any] = [Call("wait_for", str(gate)), *(Call("add", n, 1) for n in range(20))]

    app = Recorder(tasks)
    app.detach = True
    swarm.run(app)
    until(lambda: swarm.query("applications")[0]["undelivered"] == 20, "all but one")
    swarm.kill_master()
    swarm.start_master()
    [waiting] = swarm.query("applications")
    assert (waiting["state"], waiting["submitted"]) == ("detached", 21)
    gate.touch()
    until(lambda: swarm.query("applications")[0]["undelivered"] == 21, "the last one")
    swarm.stop()


def test_a_task_system_goes_on_and_nothing_of_its_first_host_is_left(
    make_swarm: Callable[..., Swarm], tmp_path: Path
) -> None:
    swarm = make_swarm()
    swarm.add_worker("w1", executors=3)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    tasks = [Call("hold", str(begun), f"s{number}", str(gate)) for number in range(2)]

    class Waits(Works):
        abstract = True

        def start_processing(self) -> None:
            self.push_task(Call("wait_for", str(begun)))

        def task_finished(self, task: Any, result: Any, error: TaskError | None) -> None:
            super().task_finished(task, result, error)
            of_the_master = psutil.Process(swarm.master.pid).children(recursive=True)
            assert len(of_the_master) == 2, "the template and the host"
            swarm.kill_master()
            until(lambda: not any(map(alive, of_the_master)), "the end of its children")
            swarm.start_master()
            gate.touch()

    app = swarm.run(Waits(Farm(tasks)))
    assert app.ended == [(app.system, ["s0", "s1"], None)]
    swarm.stop()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
