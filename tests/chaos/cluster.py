"""A cluster of real processes that is broken and mended, over TCP, on hosts of its own if possible."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import psutil

from tests.chaos import workload
from tests.chaos.ledger import Ledger, faults_of_system, faults_of_tasks
from tests.cluster.netns import missing, network
from tests.cluster.place import COMMAND, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from tests.cluster.netns import Host
    from tests.cluster.place import Place, Running

LEASE = 2.0
NOT_THERE = 3
"""Exit code of a command whose master does not answer."""


class Application:
    """An application that is started, killed, and taken up again until it has all its outcomes."""

    def __init__(self, cluster: Cluster, kind: str, number: int, count: int) -> None:
        self.cluster = cluster
        self.kind = kind
        self.name = f"{kind.lower()} {number}"
        self.count = count
        self.ledger = Ledger(cluster.place.root / f"{kind}-{number}.ledger")
        self.killed: set[int] = set()
        self.attached = 0
        self.process = self._start("run", f"{workload.__file__}:{kind}")
        self.over = False

    def look(self) -> None:
        """Take it up again if its process has ended before it was through."""
        code = self.process.process.poll()
        if code is None or self.over:
            return
        ended_well = code == 0 and self.process.pid not in self.killed
        forgotten = "there is no application" in self.process.err
        if ended_well or forgotten or not self.ledger.session:
            self.over = True
            return
        if code not in {-signal.SIGKILL, NOT_THERE, 1}:
            message = f"{self.name} ended with {code}: {self.process}"
            raise AssertionError(message)
        if code == 1 and self.process.pid not in self.killed:
            message = f"{self.name} failed: {self.process}"
            raise AssertionError(message)
        self.attached += 1
        words = ("attach", self.ledger.session, f"{workload.__file__}:{self.kind}")
        self.process = self._start(*words)

    def kill(self) -> None:
        """Kill its process."""
        self.killed.add(self.process.pid)
        self.process.kill()

    def faults(self) -> list[str]:
        """Return what contradicts the promises, now that it is over."""
        if self.kind == "System":
            found = faults_of_system(self.ledger, self.count, self.killed)
        else:
            found = faults_of_tasks(self.ledger, self.killed)
        return [f"{self.name}: {fault}" for fault in found]

    def _start(self, *words: str) -> Running:
        environ = {
            workload.LEDGER: str(self.ledger.path),
            workload.COUNT: str(self.count),
            "CONCURRENT_APPLICATION__CONNECT_TIMEOUT": "20",
        }
        return self.cluster.start("laptop", *words, "--join", self.cluster.link, **environ)


class Cluster:
    """A master, workers and applications.

    Args:
        place: where they live.
        pattern: ``push`` or ``pull``.
        settings: further ones of the master, ``section.key=value`` each.
        workers: how many workers.
        hosts: whether each may have a host of its own, if that is possible here.

    """

    def __init__(
        self,
        place: Place,
        pattern: str,
        settings: Sequence[str],
        *,
        workers: int,
        hosts: bool = True,
    ) -> None:
        self.place = place
        self.names = [f"w{number}" for number in range(1, workers + 1)]
        self.workers: dict[str, Running] = {}
        self.applications: list[Application] = []
        self.hosts: dict[str, Host] = {}
        self._stack = ExitStack()
        self._hosts_wanted = hosts and not missing()
        self._settings = [f"master.scheduler={pattern}", f"master.lease={LEASE:g}", *settings]

    def __enter__(self) -> Self:
        if self._hosts_wanted:
            names = ["master", "laptop", *self.names]
            made = self._stack.enter_context(network(*names))
            self.hosts = dict(zip(names, made, strict=True))
        self._listen = "tcp://0.0.0.0:8081" if self.hosts else f"tcp://127.0.0.1:{_free_port()}"
        self.start_master()
        for name in self.names:
            self.start_worker(name)
        return self

    def __exit__(self, *_: object) -> None:
        self.place.close()
        self._stack.close()

    def start(self, host: str, *words: str, **environ: str) -> Running:
        """Start ``concurrent WORDS`` on a host."""
        if host not in self.hosts:
            return self.place.start(*words, directory=None, **environ)
        command = ["ip", "netns", "exec", self.hosts[host].namespace, COMMAND, *words]
        return self.place.start_program(command, None, **environ)

    def start_master(self) -> None:
        """Start the master, or start it again, and wait until it is ready."""
        settings = [word for one in self._settings for word in ("--set", one)]
        self.master = self.start("master", "master", "--name", "m", "-l", self._listen, *settings)
        self.master.says("is ready")
        self.link = self._link("run APP")

    def start_worker(self, name: str) -> None:
        """Start a worker, or start it again."""
        words = ["worker", "--name", name, "--executors", "2"]
        self.workers[name] = self.start(name, *words, "--join", self._link("concurrent worker"))

    def mend(self) -> None:
        """Have everything run again that should."""
        if self.master.process.poll() is not None:
            self.start_master()
        for name, worker in list(self.workers.items()):
            if worker.process.poll() is not None:
                self.start_worker(name)
        for application in self.applications:
            application.look()

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes of this cluster that have this name."""
        found = []
        for process in self.place.processes():
            with suppress(psutil.Error):
                if process.name() == name:
                    found.append(process)
        return found

    def settle(self, patience: float) -> None:
        """Let everything run in peace until all applications are over."""

        def over() -> bool:
            self.mend()
            time.sleep(0.05)
            return all(application.over for application in self.applications)

        def left() -> str:
            return ", ".join(
                f"{one.name} ({len(one.ledger.told)} of {one.ledger.accepted}) {one.process}"
                for one in self.applications
                if not one.over
            )

        until(over, left, patience)

    def _link(self, purpose: str) -> str:
        lines = [line for line in self.master.out.splitlines() if f"{purpose} --join 'con" in line]
        return lines[0].partition("'")[2].rstrip("'")


def signal_all(processes: Sequence[psutil.Process], number: int) -> None:
    """Send a signal to processes that may have ended meanwhile."""
    for process in processes:
        with suppress(psutil.Error):
            os.kill(process.pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
