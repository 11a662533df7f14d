"""A cluster on three hosts, joined by links only; one of them is cut off and brought back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.security.link import Link
from concurrent_framework.transport.curve import new_keys
from tests.cluster.netns import network
from tests.cluster.place import COMMAND, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.netns import Host
    from tests.cluster.place import Done, Place, Running

PROGRAM = """
import time
from pathlib import Path

from concurrent_framework import ApplicationNode, IApp, Task, current_task, implements
from program_helper import shout

class Guarded(Task):
    def __init__(self, number, folder):
        super().__init__(f"guarded {number}")
        self.number, self.folder = number, folder
    def __call__(self):
        with Path(self.folder, "runs").open("a") as runs:
            runs.write(f"{self.number}\\n")
        current_task().progress(self.number, 2)
        while not Path(self.folder, f"gate {self.number}").exists():
            time.sleep(0.003)
        return shout(self.slave_id)

class Program(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        self.push_tasks([Guarded(number, self.arguments[0]) for number in range(2)])
    def task_progress(self, task, done, total, message):
        print("begun", task.number, flush=True)
    def node_lost(self, worker, tasks, reason):
        print("lost", worker, tasks, flush=True)
    def task_finished(self, task, result, error):
        print("told", task.number, result, flush=True)
"""
HELPER = "def shout(text):\n    return text.upper()\n"


class Hosts:
    """A master on one host, and commands on the two others."""

    def __init__(self, place: Place, hosts: list[Host]) -> None:
        self.place = place
        self.hosts = {host.name: host for host in hosts}
        words = ["master", "--listen", "tcp://0.0.0.0:8081", "--name", "lab"]
        self.master = self.start("master", *words, "--set", "master.lease=2")
        self.master.says("is ready")

    def link(self, purpose: str) -> str:
        """Return the link that the master printed for a purpose."""
        [link] = re.findall(rf"{purpose} --join '(con[^']*)'", self.master.out)
        return str(link)

    def start(self, host: str, *words: str, directory: Path | None = None) -> Running:
        """Start ``concurrent WORDS`` on a host."""
        enter = ["ip", "netns", "exec", self.hosts[host].namespace]
        return self.place.start_program([*enter, COMMAND, *words], directory)

    def run(self, host: str, *words: str) -> Done:
        """Run ``concurrent WORDS`` on a host to its end."""
        return self.start(host, *words).ends()

    def start_worker(self, host: str, name: str) -> Running:
        """Start a worker with one executor on a host; it has joined when this returns."""
        words = ["worker", "--name", name, "--executors", "1"]
        worker = self.start(host, *words, "--join", self.link("concurrent worker"))
        until(lambda: f"worker {name} joined" in self.master.err, worker)
        return worker


@pytest.fixture
def lab(place: Place) -> Iterator[Hosts]:
    with network("master", "worker", "laptop") as hosts:
        yield Hosts(place, hosts)


def test_a_host_that_is_cut_off_and_brought_back(lab: Hosts, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "program_helper.py").write_text(HELPER, encoding="utf-8")
    away = lab.start_worker("worker", "away")
    lab.start_worker("master", "near")
    link = lab.link("run APP")
    app = lab.start(
        "laptop", "run", "program.py", str(tmp_path), "--join", link, directory=tmp_path
    )
    app.says("begun 0")
    app.says("begun 1")
    host = lab.hosts["worker"]
    # A cut that is shorter than the lease costs nothing.
    host.cut()
    host.restore()
    assert lab.run("laptop", "status", "--join", link).code == 0
    # A longer one makes the master run elsewhere what the host had.
    host.cut()
    app.says("lost away 1")
    (tmp_path / "gate 0").touch()
    (tmp_path / "gate 1").touch()
    assert app.ends().code == 0
    told = sorted(line for line in app.out.splitlines() if line.startswith("told"))
    assert told == ["told 0 NEAR", "told 1 NEAR"]
    assert len((tmp_path / "runs").read_text().split()) == 3
    # Brought back, it works again, and what it has to say of old is not told.
    joined = lab.master.err.count("worker away joined")
    host.restore()
    until(lambda: lab.master.err.count("worker away joined") > joined, away)
    for gate in tmp_path.glob("gate *"):
        gate.unlink()
    words = ["run", "program.py", str(tmp_path), "--join", link]
    again = lab.start("laptop", *words, directory=tmp_path)
    again.says("begun 0")
    again.says("begun 1")
    (tmp_path / "gate 0").touch()
    (tmp_path / "gate 1").touch()
    assert again.ends().code == 0
    assert sorted(re.findall("AWAY|NEAR", again.out)) == ["AWAY", "NEAR"]


def test_who_may_not_join_is_told_why_on_both_sides(lab: Hosts, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "program_helper.py").write_text(HELPER, encoding="utf-8")
    link = Link.parse(lab.link("concurrent worker"))
    cases = {
        "token": (["worker"], replace(link, token=link.token[:-4] + "AAAA")),
        "no token": (["worker"], replace(link, token="")),
        "key": (["worker"], replace(link, server_key=new_keys().public)),
        "role": (["run", str(program)], link),
    }
    for what, (words, wrong) in cases.items():
        before = lab.master.err.count("refused") + lab.master.err.count("turned away")
        done = lab.run("laptop", *words, "--join", wrong.url())
        assert (done.code, done.out) == (4, ""), what
        [line] = [line for line in done.err.splitlines() if line.startswith("error: ")]
        assert what.removeprefix("no ") in line
        until(
            lambda: lab.master.err.count("refused") + lab.master.err.count("turned away") > before,  # noqa: B023 (waited for in this round)
            lambda: lab.master,
        )
