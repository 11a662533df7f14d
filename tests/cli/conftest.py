"""A master and a worker of their own, as people start them, for the commands to talk to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMAND = [sys.executable, "-m", "concurrent_framework"]


class Swarm(NamedTuple):
    """A running master with one worker of two executors."""

    ipc: str
    application_link: str
    worker_link: str
    environment: Mapping[str, str]


LIMIT = 60
"""Seconds after which something hangs; nothing takes more than a few."""


@contextmanager
def bounded(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill a process that hangs, so that reading from it ends."""
    watchdog = threading.Timer(LIMIT, process.kill)
    watchdog.start()
    try:
        with process:
            yield process
    finally:
        watchdog.cancel()


@pytest.fixture(scope="session")
def swarm() -> Iterator[Swarm]:
    # Paths of sockets must be short, so this is not pytest's own temporary directory.
    home = Path(tempfile.mkdtemp(prefix="swarm-"))
    environment = {
        **os.environ,
        "CONCURRENT_HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "120",
    }
    master = subprocess.Popen(
        [*COMMAND, "master", "--listen", "tcp://127.0.0.1:*", "--name", "lab"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert master.stdout is not None
    assert master.stderr is not None
    links = []
    for line in master.stdout:
        if "concurrent://" in line:
            links.append(line.split("'")[1])
        if len(links) == 2:
            break
    ipc = f"ipc://{next((home / 'concurrent').glob('lab-*/master.ipc'))}"
    worker = subprocess.Popen(
        [*COMMAND, "worker", "--join", ipc, "--executors", "2", "--label", "fast", "--name", "w1"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    for line in master.stderr:
        if "worker w1 joined" in line:
            break
    try:
        yield Swarm(ipc, links[1], links[0], environment)
    finally:
        for process in (worker, master):
            process.send_signal(signal.SIGINT)
            process.wait()
        master.stdout.close()
        master.stderr.close()
        shutil.rmtree(home)
