"""A master, a worker and an application, each launched from an environment of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.components import ComponentManager, IApp
from concurrent_framework.components.catalog import Entry
from concurrent_framework.components.component import component_name, interfaces_of
from concurrent_framework.components.interface import full_name
from concurrent_framework.environment import connection_to, create
from concurrent_framework.environment.lock import locked
from concurrent_framework.environment.monitoring import joined_by
from concurrent_framework.environment.settings import change
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.launch.client import MasterClient
from concurrent_framework.launch.registry import create as register
from concurrent_framework.model.errors import MasterNotFoundError, UsageError
from tests.cli.conftest import bounded
from tests.environment.conftest import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from concurrent_framework.components import Reference
    from concurrent_framework.environment import Environment

HELLO = """
from concurrent_framework import ApplicationNode, Component, IApp, Option, Task, implements
from concurrent_framework.environment import Environment
from concurrent_framework.scheduling.base import IScheduleStrategy

class Greet(Task):
    def __init__(self, name):
        Task.__init__(self, name)
    def __call__(self):
        print("on", self.slave_id)
        return f"Hello {self.name}"

class Hello(ApplicationNode):
    implements(IApp)
    who = Option("hello", "who", default="World")
    def start_processing(self):
        self.push_task(Greet(self.who))
    def task_finished(self, task, result, error):
        (self.components[Environment].layout.data / "result").write_text(str(result or error))
        self.log.info(result)
        self.shutdown_main_loop(3 if error else 0)

class Fussy(Component):
    implements(IScheduleStrategy)
    def place(self, request, workers):
        from concurrent_framework.scheduling.strategies import LeastLoaded
        return LeastLoaded().place(request, workers)
"""

LAUNCH = """
import sys
from pathlib import Path
from concurrent_framework.environment import Environment, launch
sys.exit(launch(Environment.open(Path(sys.argv[1]), settings=sys.argv[2:])))
"""


@pytest.mark.parametrize("reference", BUILTIN, ids=lambda one: one.name)
def test_what_is_built_in_is_what_its_reference_says(reference: Reference) -> None:
    cls = Entry(reference, "").load()
    assert component_name(cls) == reference.name or not reference.interfaces
    if reference.interfaces:
        assert tuple(full_name(one) for one in interfaces_of(cls)) == reference.interfaces


def test_built_in_nodes_are_applications() -> None:
    assert ComponentManager(components=BUILTIN).names(IApp) == ["master", "worker"]


Launch = Callable[..., AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r")  # short: the paths of sockets must be


@pytest.fixture
def launched(runtime: Path) -> Launch:
    @contextmanager
    def launch(environment: Environment, *settings: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(environment.layout.root), *settings],
            env=os.environ | {"XDG_RUNTIME_DIR": str(runtime)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with bounded(process):
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)

    return launch


def logged(environment: Environment) -> str:
    return environment.layout.log.read_text(encoding="utf-8")


@pytest.fixture
def hello(tmp_path: Path) -> Environment:
    environment = create(tmp_path / "hello", app="hello", opener=open_plain)
    (environment.layout.plugins / "hello_plugin.py").write_text(HELLO, encoding="utf-8")
    change(environment.layout, "hello", "who", "Lab")
    return environment


def test_an_application_gets_a_cluster_of_its_own(hello: Environment, launched: Launch) -> None:
    with launched(hello, "master.strategy=fussy") as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "Hello Lab\n" in output
    assert (hello.layout.data / "result").read_text(encoding="utf-8") == "Hello Lab"
    assert "concurrent: Hello Lab" in logged(hello)
    assert "hello ended with exit code 0" in logged(hello)


def test_a_cluster_can_be_made_of_environments(
    hello: Environment,
    tmp_path: Path,
    runtime: Path,
    launched: Launch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master = create(tmp_path / "chief", app="master", opener=open_plain)
    worker = create(tmp_path / "hand", app="worker", opener=open_plain)
    with launched(master) as chief:
        assert chief.stdout is not None
        assert chief.stdout.readline() == "master chief is ready; Ctrl-C ends it\n"
        (socket,) = runtime.glob("concurrent/chief-*/master.ipc")
        join = f"environment.join=ipc://{socket}"
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        with MasterClient(connection_to(master)) as client:
            assert client.query("status")["master"] == "chief"
        with launched(worker, join) as hand, launched(hello, join) as process:
            output, errors = process.communicate(timeout=30)
            assert (process.returncode, errors) == (0, "")
        assert "Hello Lab\n" in output
        assert "on hand\n" in output
    assert (chief.returncode, hand.returncode) == (0, 0)
    assert "chief ended with exit code 0" in logged(master)
    assert "hand ended with exit code 0" in logged(worker)


def test_what_does_not_run_has_no_master_to_ask(hello: Environment) -> None:
    with pytest.raises(
        MasterNotFoundError, match=r"is not running; `concurrent env launch .*` starts it"
    ):
        connection_to(hello)
    with (
        locked(hello.layout, "upgrading it"),
        pytest.raises(UsageError, match=r"is in use \(process .*, upgrading it .* has no master"),
    ):
        connection_to(hello)
    joined = open_plain(hello.layout.root, settings=["environment.join=ipc:///tmp/x.ipc"])
    with locked(hello.layout, "running"):
        assert connection_to(joined).endpoint == "ipc:///tmp/x.ipc"


def test_the_path_of_a_master_leads_to_where_it_is_at_present(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    master = create(tmp_path / "chief", app="master", opener=open_plain)
    worker = create(
        tmp_path / "hand", app="worker", settings={"join": "../chief"}, opener=open_plain
    )
    with locked(master.layout, "running"):
        with register("chief") as first:
            connection = joined_by(worker)
            assert connection.endpoint == first.endpoint
        assert connection.whereabouts is not None
        assert connection.whereabouts() == ""
        with register("renamed") as second:
            assert connection.whereabouts() == second.endpoint
    assert connection.whereabouts() == ""
