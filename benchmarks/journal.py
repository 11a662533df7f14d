"""What the journal costs: the throughput of a master that keeps one, next to one that does not."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure
from benchmarks.throughput import TASKS, Flood
from concurrent_framework import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 5
STORES = ("memory", "sqlite")
COMMAND = str(Path(sys.executable).with_name("concurrent"))


@contextmanager
def swarm(store: str) -> Iterator[str]:
    """Start a master with a store, and a worker; give the master's link."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        root = Path(name)
        runtime = root / "run"
        runtime.mkdir(mode=0o700)
        environ = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "CONCURRENT_HOME": name}
        master = subprocess.Popen(
            [COMMAND, "master", "--name", "m", "--set", f"master.store={store}"],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert master.stdout is not None
        master.stdout.readline()
        (socket,) = runtime.glob("concurrent/m-*/master.ipc")
        link = f"ipc://{socket}"
        worker = subprocess.Popen(
            [COMMAND, "worker", "--executors", "2", "--join", link],
            env=environ,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield link
        finally:
            for process in (worker, master):
                process.terminate()
                process.wait()


def rate(link: str) -> float:
    """Return how many tasks that do nothing go through in a second."""
    began = time.perf_counter()
    flood = run(Flood, join=link)
    return TASKS / (flood.ended - max(began, flood.began))


def measure() -> list[Figure]:
    """Return both rates and the ratio, from turns that the two take."""
    rates: dict[str, list[float]] = {store: [] for store in STORES}
    with swarm("memory") as without, swarm("sqlite") as with_journal:
        links = {"memory": without, "sqlite": with_journal}
        for link in links.values():
            rate(link)
        for _ in range(ROUNDS):
            for store, link in links.items():
                rates[store].append(rate(link))
    without_rate, with_rate = (statistics.median(rates[store]) for store in STORES)
    ratios = [b / a for a, b in zip(rates["memory"], rates["sqlite"], strict=True)]
    ratio = statistics.median(ratios)
    return [
        Figure("tasks without a journal", f"{without_rate:,.0f}/s", "", reached=True),
        Figure("tasks with SQLite", f"{with_rate:,.0f}/s", "", reached=True),
        Figure("ratio", f"{ratio:.2f}", "> 0.85", ratio > 0.85),
    ]
