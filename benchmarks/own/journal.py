"""What the journal costs: the throughput of a master that keeps one, next to one that does not."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from benchmarks.own.throughput import FEW_TASKS, TASKS, Flood
from concurrent_framework import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROUNDS = 5
STORES = ("memory", "sqlite")
COMMAND = str(Path(sys.executable).with_name("concurrent"))


class Swarm(NamedTuple):
    """A master and a worker that run: how to join, and the processes."""

    link: str
    master: int
    worker: int


@contextmanager
def swarm(store: str, settings: Sequence[str] = ()) -> Iterator[Swarm]:
    """Start a master with a store, and a worker."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        root = Path(name)
        runtime = root / "run"
        runtime.mkdir(mode=0o700)
        chosen = [*settings, f"master.store={store}"]
        options = [word for setting in chosen for word in ("--set", setting)]
        environ = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "CONCURRENT_HOME": name}
        master = subprocess.Popen(
            [COMMAND, "master", "--name", "m", *options],
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
            yield Swarm(link, master.pid, worker.pid)
        finally:
            for process in (worker, master):
                process.terminate()
                process.wait()
            master.stdout.close()


def rate(link: str) -> float:
    """Return how many tasks that do nothing go through in a second."""
    return run(Flood, join=link).rate


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return both rates and the ratio, from turns that the two take."""
    Flood.tasks = FEW_TASKS if quick else TASKS
    rounds = 1 if quick else ROUNDS
    rates: dict[str, list[float]] = {store: [] for store in STORES}
    with swarm("memory", settings) as without, swarm("sqlite", settings) as with_journal:
        links = {"memory": without.link, "sqlite": with_journal.link}
        for link in links.values():
            rate(link)
        for _ in range(rounds):
            for store, link in links.items():
                rates[store].append(rate(link))
    without_rate, with_rate = (statistics.median(rates[store]) for store in STORES)
    ratios = [b / a for a, b in zip(rates["memory"], rates["sqlite"], strict=True)]
    ratio = statistics.median(ratios)
    figures = [
        Figure("tasks without a journal", f"{without_rate:,.0f}/s"),
        Figure("tasks with SQLite", f"{with_rate:,.0f}/s"),
        Figure(
            "ratio",
            f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            "> 0.85",
            ratio > 0.85,
        ),
    ]
    return OwnFound(
        "journal",
        TITLES["journal"],
        f"{Flood.tasks:,} tasks that do nothing, pushed one by one to a master and a worker that stay; "
        f"{rounds} pairs of runs, medians.",
        HEAD,
        [figure.row for figure in figures],
    )
