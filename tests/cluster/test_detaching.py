"""Work that goes on when its application has ended, and those who come for its outcome."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cluster.place import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.swarm import Swarm

LEAVING = """
import sys
import time
from pathlib import Path

from concurrent_framework import ApplicationNode, IApp, Task, TaskSystem, implements
from leaving_helper import shout

class Step(Task):
    def __init__(self, number, gate):
        super().__init__(f"step {number}")
        self.number, self.gate = number, gate
    def __call__(self):
        while not Path(self.gate).exists():
            time.sleep(0.005)
        return self.number

class Steps(TaskSystem):
    def __init__(self, gate):
        self.gate, self.done = gate, []
    def generate_tasks(self, master):
        return [Step(1, self.gate)]
    def task_finished(self, master, task, result, error):
        self.done.append(result)
        print(shout(f"did step {result}"))
        return Step(result + 1, self.gate) if result < 5 else None
    def gather_result(self, master):
        return f"steps {self.done}"

class Leaving(ApplicationNode):
    implements(IApp)
    def get_task_system(self):
        return Steps(self.arguments[0])
    def push_tasksystem_response(self, result):
        print("it is safe", flush=True)
    def work_finished(self, result, task_system):
        self.log.info(f"told of {result} of {task_system.gate}")
        self.shutdown_main_loop(5)

class Plain(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        self.push_tasks(Step(n, self.arguments[0]) for n in range(3))
    def push_tasks_response(self, result):
        print("it is safe", flush=True)
    def task_finished(self, task, result, error):
        print("told of", task.name, result, error, type(task).__name__)
"""
HELPER = """
def shout(text):
    return text.upper() + "!"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the application is; the workers and the master have no copy of it."""
    (tmp_path / "leaving.py").write_text(LEAVING, encoding="utf-8")
    (tmp_path / "leaving_helper.py").write_text(HELPER, encoding="utf-8")
    return tmp_path


def test_a_detached_system_goes_on_and_its_outcome_is_fetched_later(
    swarm: Swarm, directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate = directory / "gate"
    done = swarm.command("run", "leaving.py:Leaving", str(gate), "--detach", directory=directory)
    assert (done.code, done.err) == (0, "")
    found = re.search(r"concurrent attach (\d+)", done.out)
    assert found is not None, done.out
    number = found[1]
    [known] = [one for one in swarm.query("applications") if one["application"] == int(number)]
    assert (known["name"], known["state"]) == ("Leaving", "detached")
    gate.touch()
    # Somebody without the application's files.
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    attached = swarm.command("attach", number, directory=elsewhere)
    assert (attached.code, attached.err) == (0, "")
    assert "Steps: steps [1, 2, 3, 4, 5]" in attached.out
    assert [f"Steps | DID STEP {n}!" in attached.out for n in range(1, 6)] == [True] * 5
    # An outcome is told exactly once.
    again = swarm.command("attach", number, directory=elsewhere)
    assert again.code == 1
    assert f"application {number} has ended; see `concurrent apps --all`" in again.err


def test_an_application_can_take_its_own_outcome(swarm: Swarm, directory: Path) -> None:
    gate = directory / "gate"
    done = swarm.command("run", "leaving.py:Leaving", str(gate), "--detach", directory=directory)
    number = done.out.split("concurrent attach ")[1].split()[0]
    attaching = swarm.place.start(
        "attach", number, "leaving.py:Leaving", "--join", swarm.endpoint, directory=directory
    )
    until(lambda: swarm.query("attach", application=number)["state"] != "detached")
    gate.touch()
    attached = attaching.ends()
    assert (attached.code, attached.err) == (5, "")
    assert f"told of steps [1, 2, 3, 4, 5] of {gate}" in attached.out


def test_outcomes_of_an_application_that_was_killed_are_kept_for_it(
    frail: Swarm, directory: Path
) -> None:
    gate = directory / "gate"
    words = [["leaving.py:Leaving", str(gate)], ["leaving.py:Plain", str(gate)]]
    started = [
        frail.place.start("run", *some, "--join", frail.endpoint, directory=directory)
        for some in words
    ]
    for one in started:
        one.says("it is safe")
    pids = {one.pid: name for one, name in zip(started, ("Leaving", "Plain"), strict=True)}
    numbers = {
        pids[one["pid"]]: str(one["application"])
        for one in frail.query("applications")
        if one["pid"] in pids
    }
    assert numbers.keys() == {"Leaving", "Plain"}
    leaving, plain = started
    plain.kill()
    plain.ends()
    attaching = frail.place.start(
        "attach", numbers["Leaving"], "--join", frail.endpoint, directory=directory
    )
    attaching.says("is still connected")
    leaving.kill()
    leaving.ends()
    gate.touch()
    attached = attaching.ends()
    assert attached.code == 0
    assert "Steps: steps [1, 2, 3, 4, 5]" in attached.out
    until(lambda: _state_of(frail, "Plain", plain.pid) == "away")
    attached = frail.command("attach", numbers["Plain"], "leaving.py:Plain", directory=directory)
    assert (attached.code, attached.err) == (0, "")
    told = sorted(line for line in attached.out.splitlines() if line.startswith("told"))
    assert told == [f"told of step {n} {n} None Step" for n in range(3)]


def test_a_killed_application_goes_on_under_its_name(
    make_swarm: Callable[..., Swarm], directory: Path
) -> None:
    swarm = make_swarm("master.lease=1")
    swarm.add_worker("w1")
    gate = directory / "gate"
    words = ["run", "leaving.py:Plain", str(gate), "--resume", "--set", "application.name=again"]
    # There is none of this name: it begins.
    first = swarm.place.start(*words, "--join", swarm.endpoint, directory=directory)
    first.says("it is safe")
    first.kill()
    first.ends()
    second = swarm.place.start(*words, "--join", swarm.endpoint, directory=directory)
    until(lambda: _state_of(swarm, "again", second.pid) == "running")
    second.kill()
    second.ends()
    gate.touch()
    # Both were killed before they were told anything; the third is told everything once.
    third = swarm.command(*words, directory=directory)
    assert third.code == 0
    assert "it is safe" not in third.out, "nothing is pushed a second time"
    told = sorted(line for line in third.out.splitlines() if line.startswith("told"))
    assert told == [f"told of step {n} {n} None Step" for n in range(3)]
    # It has ended in good order, so the next one begins anew.
    fourth = swarm.command(*words, directory=directory)
    assert fourth.out.count("told of step") == 3
    assert "it is safe" in fourth.out


def _state_of(swarm: Swarm, name: str, pid: int) -> str:
    states = [
        str(one["state"])
        for one in swarm.query("applications")
        if (one["name"], one["pid"]) == (name, pid)
    ]
    return states[0] if states else ""


def test_resuming_needs_to_know_which_application_is_meant(frail: Swarm, directory: Path) -> None:
    words = ["run", "leaving.py:Plain", str(directory / "gate")]
    twins = ["--set", "application.name=twin"]
    running = [
        frail.place.start(*words, *twins, "--join", frail.endpoint, directory=directory)
        for _ in range(2)
    ]
    for one in running:
        one.says("it is safe")
    done = frail.command(*words, *twins, "--resume", directory=directory)
    assert done.code == 2
    assert "--resume cannot tell which twin is meant, there are " in done.err
    assert done.err.count("\n") == 1
    for one in running:
        one.interrupt()
        one.ends()
