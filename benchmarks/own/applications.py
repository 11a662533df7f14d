"""What a task costs with more and more applications."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.own.crowd import Cost
from benchmarks.own.master_process import MasterProcess
from benchmarks.own.measure import TITLES, OwnFound
from benchmarks.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTS = ((1, 2), (10, 2), (100, 2), (1, 1000), (100, 1000))
"""Applications and workers."""
TASKS = 200_000
FEW_TASKS = 2_000
WARM_UP = 20
"""Tasks of each application that are not measured."""
LEASE = "master.lease=60"
"""On a busy machine a process that is a thousand workers may be late; none of them is lost for that."""


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the costs."""
    rows, least = [], 0.0
    for applications, workers in COUNTS[:2] if quick else COUNTS:
        found = cost(FEW_TASKS if quick else TASKS, applications, workers, settings)
        least = least or found.master
        growth = f"{found.master / least:.2f}"
        cells = (f"{found.master:.1f}", f"{found.wall:.1f}", growth)
        rows.append((f"{applications:,}", f"{workers:,}", *cells))
    return OwnFound(
        "applications",
        TITLES["applications"],
        "Simulated applications, which share the tasks evenly and have up to 10,000 of them unfinished "
        "each, and simulated workers with two executors each, in one process of either kind: real "
        "cores and sockets, and tasks that take no time. The growth is against one application.",
        ("applications", "workers", "master's processor time, us/task", "time of day, us/task", "growth"),
        rows,
    )  # fmt: skip


def cost(tasks: int, applications: int, workers: int, settings: Sequence[str]) -> Cost:
    """Return what a task costs the master.

    Raises:
        RuntimeError: the applications have ended before their tasks.

    """
    with MasterProcess([*settings, LEASE]) as master:
        swarm = _start("benchmarks.own.swarm", master.endpoint, workers)
        each = max(tasks // applications, 1)
        arguments = (applications, workers, WARM_UP, each)
        crowd = _start("benchmarks.own.pushers", master.endpoint, *arguments, talks=True)
        try:
            _wait_for(crowd)
            used, began = master.seconds(), perf_counter()
            _tell(crowd)
            _wait_for(crowd)
            spent, wall = master.seconds() - used, perf_counter() - began
        finally:
            for process in (crowd, swarm):
                process.terminate()
                process.wait()
    return Cost(spent / (each * applications) * 1e6, wall / (each * applications) * 1e6)


def _start(module: str, *arguments: object, talks: bool = False) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE if talks else None
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=pipe,
        stdout=pipe,
    )


def _wait_for(crowd: subprocess.Popen[bytes]) -> None:
    assert crowd.stdout is not None
    if not crowd.stdout.readline():
        message = "the simulated applications have ended before their tasks"
        raise RuntimeError(message)


def _tell(crowd: subprocess.Popen[bytes]) -> None:
    assert crowd.stdin is not None
    crowd.stdin.write(b"go\n")
    crowd.stdin.flush()
