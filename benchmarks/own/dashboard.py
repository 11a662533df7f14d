"""What a dashboard that somebody looks at costs: throughput with it, relative to without.

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
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from benchmarks.own.goal import Figure
from benchmarks.own.throughput import Flood
from concurrent_framework.application.connection import Connection
from tests.browser.conftest import FLAGS
from tests.cluster.place import Place, until
from tests.cluster.swarm import Swarm

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 7
"""Pairs of runs; each pair is one ratio, so that what else the machine does falls on both."""
ALLOWED = 0.03
SETTLE = 6.0
"""Seconds for the browser to load the page, which is no part of looking at it."""


def measure() -> list[Figure]:
    """Return the share of the throughput that goes when the overview is open in a browser."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, "push", "api.port=0")
            swarm.add_worker("w1")
            ratios = list(_ratios(swarm))
            swarm.stop()
        finally:
            place.close()
    cost = 1 - statistics.median(ratios)
    spread = f"{1 - max(ratios):.1%} to {1 - min(ratios):.1%}"
    return [
        Figure("throughput a dashboard costs", f"{cost:.1%} ({spread})", "< 3%", cost < ALLOWED)
    ]


def _ratios(swarm: Swarm) -> Iterator[float]:
    from concurrent_framework.api.access import read_access

    (directory,) = swarm.place.runtime.glob("concurrent/m-*")
    access = read_access(directory)
    assert access is not None
    _rate(swarm)  # warm
    for number in range(ROUNDS):
        rates = {}
        for watched in (True, False) if number % 2 else (False, True):
            with _watched(swarm, access.link) if watched else nullcontext():
                rates[watched] = _rate(swarm)
        yield rates[True] / rates[False]


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


def _rate(swarm: Swarm) -> float:
    flood = Flood()
    flood.link = Connection(swarm.endpoint)
    flood.app_init()
    code = flood.app_main()
    if code:
        message = f"the flood ended with {code} after {flood.finished:,} of {flood.tasks:,} tasks"
        raise RuntimeError(message)
    until(lambda: not swarm.query("applications"))
    return flood.rate


if __name__ == "__main__":
    for figure in measure():
        print(*figure[:3], "reached" if figure.reached else "missed")
        sys.exit(not figure.reached)
