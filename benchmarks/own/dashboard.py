"""What a dashboard that somebody looks at costs the master, relative to nobody looking.

The browser and the pages' process take processors of this machine, which elsewhere are not the
master's, and what else runs here falls on throughput. So what is demanded is demanded of the processor
time that looking takes from the master, whose threads share one interpreter: what the dashboard uses of
a processor is what the master has less of at most. The difference in a flood is told as well.

It needs Chromium and what is installed for development, so it is a program of its own:
``python -m benchmarks.own.dashboard``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import psutil

from benchmarks.own.goal import Figure
from benchmarks.own.processor import seconds_of
from benchmarks.own.throughput import Flood
from concurrent_framework.application.connection import Connection
from tests.browser.conftest import FLAGS
from tests.cluster.place import Place, bounded, until
from tests.cluster.swarm import Swarm

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 7
"""Pairs of runs; each pair is one ratio, so that what else the machine does falls on both."""
ALLOWED = 0.03
PATIENCE = 120.0
"""Seconds after which a flood counts as stuck."""
LOOK = 10.0
"""Seconds for which somebody looks at a master that has nothing to do."""
SETTLE = 6.0
"""Seconds for the browser to load the page, which is no part of looking at it."""


def measure() -> list[Figure]:
    """Return the share of the throughput that goes when the overview is open in a browser."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, "push", "api.port=0")
            swarm.add_worker("w1")
            link = _link_of(swarm)
            pairs = list(_pairs(swarm, link))
            looking = _looking(swarm, link)
            swarm.stop()
        finally:
            place.close()
    more = [watched.seconds / alone.seconds - 1 for watched, alone in pairs]
    less = [1 - watched.rate / alone.rate for watched, alone in pairs]
    alone = statistics.median(alone.seconds for _, alone in pairs)
    return [
        Figure("of a processor, for looking", f"{looking:.1%}", "< 3%", looking < ALLOWED),
        Figure("the master's processor time for a task", f"{alone * 1e6:.1f} us"),
        Figure("the same while somebody looks, more", _share(more)),
        Figure("throughput on this machine, less", _share(less)),
    ]


class Run(NamedTuple):
    """How a flood went: tasks per second, and the master's processor time for each in seconds."""

    rate: float
    seconds: float


def _share(shares: list[float]) -> str:
    return f"{statistics.median(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})"


def _link_of(swarm: Swarm) -> str:
    from concurrent_framework.api.access import read_access

    (directory,) = swarm.place.runtime.glob("concurrent/m-*")
    access = read_access(directory)
    assert access is not None
    return access.link


def _looking(swarm: Swarm, link: str) -> float:
    """Return the share of a processor that the master uses more while somebody looks."""

    def used() -> float:
        before = seconds_of(swarm.master.pid)
        time.sleep(LOOK)
        return (seconds_of(swarm.master.pid) - before) / LOOK

    time.sleep(SETTLE)
    alone = used()
    with _watched(swarm, link):
        return used() - alone


def _pairs(swarm: Swarm, link: str) -> Iterator[tuple[Run, Run]]:
    """Yield how it goes when somebody looks, and when nobody does."""
    _run(swarm)  # warm
    for number in range(ROUNDS):
        runs = {}
        for watched in (True, False) if number % 2 else (False, True):
            with _watched(swarm, link) if watched else nullcontext():
                runs[watched] = _run(swarm)
        yield runs[True], runs[False]


@contextmanager
def _watched(swarm: Swarm, link: str) -> Iterator[None]:
    """Look at the overview in a browser while the block runs."""

    def asked() -> int:
        return connections(link)

    browser = subprocess.Popen(
        ["chromium", "--headless", "--remote-debugging-port=0", *FLAGS, link],
        env={**swarm.place.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(asked, "the browser")
        time.sleep(SETTLE)
        yield
    finally:
        browser.terminate()
        browser.wait()


def connections(link: str) -> int:
    """Return how many connections to the node's HTTP server stand."""
    port = urlsplit(link).port
    return sum(
        bool(one.raddr) and one.raddr.port == port and one.status == "ESTABLISHED"
        for one in psutil.net_connections("tcp")
    )


def _run(swarm: Swarm) -> Run:
    flood = Flood()
    flood.link = Connection(swarm.endpoint)
    flood.app_init()
    before = seconds_of(swarm.master.pid)
    with bounded("the end of the flood", PATIENCE):
        code = flood.app_main()
    if code:
        message = f"the flood ended with {code} after {flood.finished:,} of {flood.tasks:,} tasks"
        raise RuntimeError(message)
    until(lambda: not swarm.query("applications"))
    return Run(flood.rate, (seconds_of(swarm.master.pid) - before) / flood.tasks)


if __name__ == "__main__":
    figures = measure()
    for figure in figures:
        print(*figure[:3])
    sys.exit(not all(figure.reached for figure in figures))
