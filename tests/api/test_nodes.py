"""The API of nodes other than a master that stands by itself, and how all of them end."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.client import ApiError
from tests.cluster.place import COMMAND, Place, Running, until
from tests.cluster.swarm import Swarm

SLOW = """
import time
from concurrent_framework import ApplicationNode, IApp, implements, task

@task
def wait(seconds):
    time.sleep(seconds)

class Slow(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        self.push_task(wait(60))
"""


def client_of(running: Running) -> Client:
    running.says("/?token=")
    (link,) = re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", running.out + running.err)
    return Client(link)


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    file = tmp_path / "slow.py"
    file.write_text(SLOW)
    return file


def test_a_worker_serves_its_own_if_told(place: Place) -> None:
    swarm = Swarm(place, "push", "api.enabled=false")
    worker = swarm.add_worker("w1", "--set", "api.enabled=true", "--set", "api.port=0")
    client = client_of(worker)
    until(lambda: client.node.status()["connected"], "the worker to be taken in")
    status = client.node.status()
    assert (status["kind"], status["name"]) == ("worker", "w1")
    assert {"worker.turn_seconds", "executor.task_seconds"} <= set(client.statistics.get())
    assert client.get("/status").startswith('{"kind":"worker"')
    assert "token" not in swarm.master.out
    with pytest.raises(ApiError, match=r"no method 'cluster\.status'"):
        client.cluster.status()
    swarm.stop()
    assert "Traceback" not in worker.err


def test_an_application_shows_its_own_cluster(place: Place, slow: Path) -> None:
    running = place.start("run", str(slow), "--dashboard", "--set", "api.port=0", "-w", "1")
    client = client_of(running)
    followed = client.follow(after="begin-0", kinds=["application."])
    assert next(followed)["kind"] == "application.joined"
    (application,) = client.applications.list()["applications"]
    assert application["name"] == "Slow"
    assert client.cluster.status()["executors"] == 1
    assert client.node.status()["kind"] == "application"
    assert client.statistics.get()["application.pushed"]["value"] == 1
    running.interrupt()
    assert running.ends().code == 130
    assert "Traceback" not in running.err
    place.expect_nothing_left()


def test_a_plain_run_serves_nothing_and_imports_nothing(place: Place, slow: Path) -> None:
    program = slow.with_name("plain.py")
    program.write_text(
        "import sys\n"
        "from concurrent_framework import ApplicationNode, IApp, implements, task\n"
        "@task\ndef one():\n    return 1\n"
        "class Plain(ApplicationNode):\n"
        "    implements(IApp)\n"
        "    def start_processing(self):\n        self.push_task(one())\n"
        "    def task_finished(self, task, result, error):\n"
        "        found = [m for m in sys.modules if m.startswith(('starlette', 'uvicorn', "
        "'prometheus', 'concurrent_framework.api'))]\n"
        "        print('imported:', found)\n"
    )
    done = place.start_program([COMMAND, "run", str(program)]).ends()
    assert "imported: []" in done.out


def test_a_master_takes_another_port_if_its_own_is_taken(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        swarm = Swarm(place, "push", f"api.port={port}")
        client = client_of(swarm.master)
        assert client.cluster.status()["master"] == "m"
        assert f":{port}" not in client.url
    swarm.stop()


def test_a_master_ends_at_once_while_somebody_follows(place: Place) -> None:
    swarm = Swarm(place, "push", "api.port=0")
    client = client_of(swarm.master)
    followed = client.follow()
    swarm.master.interrupt()
    done = swarm.master.ends(3.0)
    assert (done.code, done.err) == (130, "")
    assert [one["kind"] for one in followed] == []
    place.expect_nothing_left()


def test_a_launched_application_ends_with_its_master(place: Place) -> None:
    swarm = Swarm(place, "push", "api.port=0")
    client = client_of(swarm.master)
    client.applications.launch(name="md5")
    swarm.stop()


def test_a_worker_is_removed(place: Place) -> None:
    swarm = Swarm(place, "push", "api.port=0")
    worker = swarm.add_worker("w1")
    client = client_of(swarm.master)
    with pytest.raises(ApiError, match="there is no worker 'w9'; there are: w1"):
        client.nodes.remove(worker="w9")
    assert client.nodes.remove(worker="w1") == {"removed": ["w1"]}
    done = worker.ends()
    assert done.code == 4
    assert "it was removed from the cluster" in done.err
    assert client.nodes.list()["total"] == 0
    swarm.workers.clear()
    swarm.stop()
