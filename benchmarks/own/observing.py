"""What it costs to be seen: recording a value, and a master that is asked while it works."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from timeit import repeat
from typing import TYPE_CHECKING

import psutil

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from benchmarks.own.throughput import FEW_TASKS, TASKS, Flood
from concurrent_framework.api.access import read_access
from concurrent_framework.application.connection import Connection
from concurrent_framework.stats import NOTHING, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROUNDS = 9
POLLS = 5
"""Looks per second, as a dashboard makes them."""


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the cost of a value, and the share of the throughput that looks cost."""
    Flood.tasks = FEW_TASKS if quick else TASKS
    on = _nanoseconds(Registry().histogram("a.b_seconds", "").record)
    off = _nanoseconds(NOTHING.histogram("a.b_seconds", "").record)
    with _cluster(settings) as (connection, link, master):
        _flood(connection)
        idle, idle_cpu, asked, asked_cpu = [], [], [], []
        for _ in range(1 if quick else ROUNDS):
            rate, cpu = _round(connection, master)
            idle.append(rate)
            idle_cpu.append(cpu)
            with _polling(link):
                rate, cpu = _round(connection, master)
            asked.append(rate)
            asked_cpu.append(cpu)
    lost = 1 - statistics.median(asked) / statistics.median(idle)
    more = statistics.median(asked_cpu) / statistics.median(idle_cpu) - 1
    figures = [
        Figure("recording a value", f"{on:.0f} ns", "< 1,000 ns", on < 1000),
        Figure("recording a value, switched off", f"{off:.0f} ns", "< 200 ns", off < 200),
        Figure(f"throughput lost to {POLLS} looks a second", f"{lost:.1%}", "< 3 %", lost < 0.03),
        Figure("the master's processor time, more", f"{more:.1%}"),
    ]
    return OwnFound(
        "observing",
        TITLES["observing"],
        f"{Flood.tasks:,} tasks that do nothing, pushed one by one, with somebody asking for the status and "
        "without, in turns; medians.",
        HEAD,
        [figure.row for figure in figures],
    )


def _nanoseconds(record: Callable[[float], None]) -> float:
    number = 100_000
    return min(repeat("f(1.5)", globals={"f": record}, number=number, repeat=7)) / number * 1e9


@contextmanager
def _cluster(settings: Sequence[str]) -> Iterator[tuple[Connection, str, psutil.Process]]:
    """Start a master that serves its API, and a worker."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        environ = {**os.environ, "XDG_RUNTIME_DIR": name, "CONCURRENT_HOME": name}
        options = [word for setting in ("api.port=0", *settings) for word in ("--set", setting)]
        command = [sys.executable, "-m", "concurrent_framework"]
        with (Path(name) / "log").open("wb") as log:
            more = {"env": environ, "stdout": log, "stderr": log}
            words = [*command, "master", "--name", "bench", *options]
            master = subprocess.Popen(words, **more)  # type: ignore[call-overload]
            directory = _appeared(Path(name))
            connection = Connection(f"ipc://{directory / 'master.ipc'}")
            words = [*command, "worker", "--executors", "2", "--join", connection.endpoint]
            worker = subprocess.Popen(words, **more)  # type: ignore[call-overload]
            access = read_access(directory)
            assert access is not None
            try:
                yield connection, access.link, psutil.Process(master.pid)
            finally:
                for process in (worker, master):
                    process.terminate()
                    process.wait()


def _appeared(place: Path) -> Path:
    """Return the master's directory, once it serves its API."""
    while not (found := list(place.glob("concurrent/*/api.json"))):
        time.sleep(0.01)
    return found[0].parent


def _round(connection: Connection, master: psutil.Process) -> tuple[float, float]:
    """Return tasks per second, and the master's processor time for them."""
    before = master.cpu_times()
    rate = _flood(connection)
    after = master.cpu_times()
    return rate, after.user + after.system - before.user - before.system


def _flood(connection: Connection) -> float:
    flood = Flood()
    flood.link = connection
    flood.app_init()
    flood.app_main()
    return flood.rate


@contextmanager
def _polling(link: str) -> Iterator[None]:
    """Ask for the status several times a second, from a process of its own, while the block runs."""
    program = (
        "import sys, time; from concurrent_framework.api import Client; client = Client(sys.argv[1])\n"
        "client.cluster.status(); print('asking', flush=True)\n"
        f"while True: time.sleep({1 / POLLS}); client.cluster.status()"
    )
    words = [sys.executable, "-c", program, link]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        asking.stdout.readline()
        try:
            yield
        finally:
            asking.kill()
