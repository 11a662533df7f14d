"""A transport of a plug-in carries a cluster between environments."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from concurrent_framework.components import ComponentManager
from concurrent_framework.environment import create
from concurrent_framework.launch.locate import locate
from concurrent_framework.launch.transports import serve
from concurrent_framework.model.errors import UsageError
from concurrent_framework.security.link import Link
from concurrent_framework.transport.base import ITransport
from concurrent_framework.transport.curve import new_keys
from concurrent_framework.transport.memory import MemoryServer
from concurrent_framework.transport.several import Servers
from tests.cli.conftest import COMMAND, LIMIT, bounded
from tests.environment.conftest import open_plain

TRANSPORT = """
from concurrent_framework import Component, implements
from concurrent_framework.transport.base import ITransport
from concurrent_framework.transport.zmq import ZmqClient, ZmqServer

def plain(endpoint):
    return endpoint.replace("van://", "tcp://")

class Server(ZmqServer):
    @property
    def endpoint(self):
        return self.tcp_endpoint.replace("tcp://", "van://")

class Van(Component):
    "A van: the built-in transport in other colours."
    implements(ITransport)
    def serve(self, endpoint, keys):
        print("loading the van", flush=True)
        return Server(tcp=plain(endpoint), keys=keys)
    def connect(self, endpoint, server_key):
        return ZmqClient(plain(endpoint), server_key=server_key)
"""
APP = """
from concurrent_framework import ApplicationNode, IApp, implements, task

@task
def double(number):
    return 2 * number

class Doubles(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        self.push_tasks(double(number) for number in range(100))
        self.sum = self.count = 0
    def task_finished(self, task, result, error):
        self.sum += result
        self.count += 1
        if self.count == 100:
            print("sum", self.sum)
"""


def make(path: Path, app: str, **settings: str) -> Path:
    environment = create(path, app=app, settings=settings, opener=open_plain)
    (environment.layout.plugins / "van_transport.py").write_text(TRANSPORT, encoding="utf-8")
    if app == "doubles":
        (environment.layout.plugins / "doubles_plugin.py").write_text(APP, encoding="utf-8")
    return environment.layout.root


Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    runtime = tmp_path_factory.mktemp("r")  # short: the paths of sockets must be
    with ExitStack() as stack:

        def started(root: Path) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [*COMMAND, "env", "launch", str(root)],
                env=os.environ | {"XDG_RUNTIME_DIR": str(runtime), "PYTHONUNBUFFERED": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            stack.enter_context(bounded(process))
            stack.callback(process.terminate)
            return process

        yield started


def lines_until(process: subprocess.Popen[str], text: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    pytest.fail(f"it never said {text!r}, but:\n{''.join(lines)}")


def test_a_cluster_talks_by_a_plugins_transport(start: Start, tmp_path: Path) -> None:
    master = start(make(tmp_path / "chief", "master", listen="van://127.0.0.1:*"))
    lines = lines_until(master, "run APP --join 'concurrent://")
    assert "loading the van\n" in lines
    worker, application = re.findall(r"'(concurrent://.*)'", "".join(lines))
    assert Link.parse(worker).endpoint.startswith("van://")
    start(make(tmp_path / "hand", "worker", join=worker))
    lines_until(master, "worker hand joined")
    output, _ = start(make(tmp_path / "app", "doubles", join=application)).communicate(
        timeout=LIMIT
    )
    assert output == "sum 9900\n"


def test_a_wrong_token_is_refused_by_any_transport(start: Start, tmp_path: Path) -> None:
    master = start(make(tmp_path / "chief", "master", listen="van://127.0.0.1:*"))
    lines = lines_until(master, "run APP --join 'concurrent://")
    worker, _ = re.findall(r"'(concurrent://.*)'", "".join(lines))
    forged = re.sub(r"token=execute-[^&]*", "token=execute-forged", worker)
    hand = start(make(tmp_path / "hand", "worker", join=forged))
    output, _ = hand.communicate(timeout=LIMIT)
    assert hand.returncode == 4
    assert "token" in output


def test_a_transport_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no ITransport is called 'van'; none is installed"):
        serve(ComponentManager(), tmp_path / "m", "van://127.0.0.1:*", new_keys())
    link = Link("127.0.0.1", 8081, "x" * 40, "execute-x", transport="van")
    assert Link.parse(link.url()) == link
    with pytest.raises(UsageError, match="no ITransport is called 'van'"):
        locate(link.url(), components=ComponentManager())


def test_who_comes_over_the_network_is_never_local() -> None:
    private, public = MemoryServer(), MemoryServer()
    both = Servers(private, public)
    near, far = private.connect(), public.connect()
    near.send([b"near"])
    far.send([b"far"])
    received = {bytes(frames[0]): (peer, local) for peer, local, frames in both.receive(10)}
    assert received[b"near"][1] is True
    assert received[b"far"][1] is False
    assert both.send(received[b"far"][0], [b"back"])
    assert [bytes(frames[0]) for frames in far.receive(10)] == [b"back"]
    assert near.receive(10) == []
    both.close(0)


def test_an_interface_is_what_the_plugin_implements(tmp_path: Path) -> None:
    environment = open_plain(make(tmp_path / "lab", "master"))
    assert environment.components.names(ITransport) == ["van"]
