"""Ctrl-C and kill -9, anywhere: a clean end, and nothing left behind."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.cluster.applications import Recorder
from tests.cluster.place import until
from tests.cluster.tasks import Guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.place import Place, Running
    from tests.cluster.swarm import Swarm

BUSY = """
import subprocess
import time

from concurrent_framework import ApplicationNode, Farm, IApp, current_task, implements, task

@task
def busy(number):
    # What a task starts must go with it, also if it has left for a session of its own.
    subprocess.Popen(["sleep", "600"], start_new_session=bool(number))
    current_task().progress(number, 2)
    time.sleep(600)

@task
def hold():
    time.sleep(600)

class Busy(ApplicationNode):
    implements(IApp)
    def get_task_system(self):
        return Farm([hold()])
    def start_processing(self):
        self.begun = set()
        self.push_tasks([busy(0), busy(1)])
    def task_progress(self, task, done, total, message):
        self.begun.add(task.task_id)
        if len(self.begun) == 2:
            print("all begun", flush=True)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "busy.py").write_text(BUSY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def busy(place: Place, pattern: str, directory: Path) -> Running:
    """An application on a cluster of its own, with tasks that run for long."""
    words = ["busy.py", "--workers", "3", "--set", f"master.scheduler={pattern}"]
    running = place.start("run", *words, directory=directory)
    running.says("all begun")
    names = [one.name() for one in place.processes()]
    assert names.count("sleep") == 2
    assert names.count("cc-executor") == 3
    assert names.count("cc-host") == 1
    return running


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda running: running.interrupt(), 130),
        (lambda running: os.kill(running.pid, signal.SIGTERM), 143),
        (lambda running: running.kill(), -signal.SIGKILL),
    ],
    ids=["Ctrl-C", "terminate", "kill"],
)
def test_an_application_takes_its_cluster_with_it(
    busy: Running, place: Place, end: Callable[[Running], None], code: int
) -> None:
    end(busy)
    done = busy.ends()
    assert done.code == code
    assert done.err.strip() == ""
    place.expect_no_process()


@pytest.mark.parametrize("which", ["concurrent-mstr", "concurrent-wrkr"])
def test_an_application_whose_cluster_breaks_ends_with_one_line(
    busy: Running, place: Place, which: str
) -> None:
    (node,) = [one for one in place.processes() if one.name() == which and _has_peers(one)]
    node.kill()
    done = busy.ends()
    assert done.code == 1
    (line,) = done.err.splitlines()
    noun = "master" if which == "concurrent-mstr" else "worker"
    assert line.startswith(
        f"error: this application's own cluster broke: the {noun} was killed by signal 9"
    )
    place.expect_nothing_left()


def _has_peers(process: psutil.Process) -> bool:
    """Tell a node from the processes forked from it, which have its name until they change it."""
    return process.ppid() == os.getsid(process.pid)


def test_a_worker_that_is_ended_gives_its_tasks_back(swarm: Swarm, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    leaving = swarm.add_worker("e1", "--label", "e")
    task = Guarded(gate, "e")

    def leave(_app: Recorder, _task: Any, worker: str) -> None:
        if worker == "e1":
            leaving.interrupt()
            leaving.ends()
            swarm.start_worker("e2", "--label", "e")
            gate.touch()

    app = swarm.run(Recorder([task], leave))
    assert app.of(task).result == "e2"
    assert app.lost == [], "it left on purpose: nothing was lost"
    done = leaving.ends()
    assert (done.code, "Traceback" in done.err) == (130, False)
    assert not [one for one in swarm.place.processes() if os.getsid(one.pid) == leaving.pid]
    del swarm.workers["e1"]
    swarm.end_worker("e2")


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGINT] * 3, [signal.SIGKILL]])
def test_nodes_leave_nothing_behind(
    make_swarm: Callable[..., Swarm], directory: Path, signals: list[int]
) -> None:
    swarm = make_swarm()
    worker = swarm.add_worker("w1", executors=3)
    place = swarm.place
    running = place.start("run", "busy.py", "--join", swarm.endpoint, directory=directory)
    running.says("all begun")
    nodes = [running, worker, swarm.master]
    for number in signals:
        for node in nodes:
            with suppress(ProcessLookupError):  # the signals before may have ended it
                os.kill(node.pid, number)
    for node in nodes:
        done = node.ends()
        assert done.code == (130 if number == signal.SIGINT else -number)
        assert "Traceback" not in done.err
    place.expect_no_process()
    if number == signal.SIGINT:
        place.expect_nothing_left()


def test_executors_do_not_outlive_their_worker(frail: Swarm, tmp_path: Path) -> None:
    worker = frail.add_worker("k1", "--label", "k")
    node = psutil.Process(worker.pid)
    until(lambda: len(node.children(recursive=True)) == 3)  # a template and two executors
    theirs = node.children(recursive=True)
    worker.kill()
    until(lambda: not psutil.wait_procs(theirs, timeout=0)[1], theirs)
    del frail.workers["k1"]
