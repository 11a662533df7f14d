"""A master and its workers as processes, and applications that run on them from a test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from concurrent_framework.application.connection import Connection
from concurrent_framework.config import Config
from concurrent_framework.launch.client import MasterClient, order
from concurrent_framework.launch.components import components_for
from tests.cluster.place import bounded, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework import ApplicationNode
    from concurrent_framework.protocol.application import QueryKind
    from tests.cluster.place import Done, Place, Running

A = TypeVar("A", bound="ApplicationNode")


class Swarm:
    """A master, started as its users start it; `add_worker` gives it workers.

    Args:
        place: where it lives.
        pattern: how work reaches its workers.
        settings: more of its configuration, ``section.key=value`` each.

    """

    def __init__(self, place: Place, pattern: str, *settings: str, listen: str = "") -> None:
        self.place = place
        self.workers: dict[str, Running] = {}
        words = [word for one in settings for word in ("--set", one)]
        if listen:
            words += ["--listen", listen]
        self._command = ["master", "--name", "m", "--set", f"master.scheduler={pattern}", *words]
        self.start_master()

    def start_master(self) -> None:
        """Start the master, again with the same words after it was killed."""
        self.master = self.place.start(*self._command)
        self.master.says("is ready")

    def kill_master(self) -> None:
        """Kill the master, without a chance to clean up."""
        self.master.kill()
        self.master.ends()

    @property
    def endpoint(self) -> str:
        """Where the master is, for this machine."""
        (socket,) = self.place.runtime.glob("concurrent/m-*/master.ipc")
        return f"ipc://{socket}"

    def link(self, who: str) -> str:
        """Return the link that the master printed for ``worker`` or ``run APP``."""
        lines = [line for line in self.master.out.splitlines() if f"{who} --join 'con" in line]
        return lines[0].partition("'")[2].rstrip("'")

    def start_worker(self, name: str, *words: str, executors: int = 2) -> Running:
        """Start a worker in a directory that is empty."""
        worker = self.place.start(
            "worker", "--name", name, "--executors", str(executors), *words, "--join", self.endpoint
        )
        self.workers[name] = worker
        return worker

    def add_worker(self, name: str, *words: str, executors: int = 2) -> Running:
        """Start a worker; it has joined when this returns."""
        before = self.master.err.count(f"worker {name} joined")
        worker = self.start_worker(name, *words, executors=executors)
        until(lambda: self.master.err.count(f"worker {name} joined") > before, worker)
        return worker

    def end_worker(self, name: str) -> None:
        """End a worker as a person does."""
        worker = self.workers.pop(name)
        worker.interrupt()
        assert worker.ends().code == 130, str(worker)

    def run(self, application: A, arguments: Sequence[str] = ()) -> A:
        """Run an application in this process to its end; `exit_code` keeps what came of it."""
        application.link = Connection(self.endpoint)
        application.arguments = list(arguments)
        application.app_init()
        with bounded(f"the end of {application.full_name}"):
            application.exit_code = application.app_main()  # type: ignore[attr-defined]
        return application

    def make(self, cls: type[A], *settings: str) -> A:
        """Make an application as `run` does, with a configuration."""
        return components_for(Config.load(None, {}, settings), cls).create(cls)

    def command(self, *words: str, directory: Path | None = None) -> Done:
        """Run ``concurrent WORDS --join`` this master to its end."""
        return self.place.run(*words, "--join", self.endpoint, directory=directory)

    def query(self, kind: QueryKind, **arguments: Any) -> Any:
        """Ask the master from this process."""
        with MasterClient(Connection(self.endpoint)) as client:
            return client.query(kind, arguments)

    def order(self, kind: QueryKind, **arguments: Any) -> Any:
        """Have the master do something, from this process."""
        return order(Connection(self.endpoint), kind, arguments)

    def ask(self, *words: str) -> Any:
        """Return the answer to ``concurrent WORDS --json``."""
        done = self.command(*words, "--json")
        assert (done.code, done.err) == (0, "")
        return json.loads(done.out)

    def stop(self) -> None:
        """End it as a person does, and see that nothing is left."""
        nodes = [*self.workers.values(), self.master]
        for node in nodes:
            if node.process.poll() is None:
                node.interrupt()
                assert node.ends().code == 130, str(node)
        self.place.expect_nothing_left()
