"""Runs each measurement in a fresh process, interleaved and repeated."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import catalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.catalog import Entry
    from benchmarks.measures.measure import Figures

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 180.0
"""Seconds after which a measurement is given up."""
_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class Run(NamedTuple):
    """One process and what came of it.

    Args:
        system: which system, by its key.
        measure: what was measured.
        figures: what was found; None if the system has no such interface.
        problem: why there are no figures, empty if that is no problem.

    """

    system: str
    measure: str
    figures: Figures | None
    problem: str = ""


def schedule(systems: Sequence[str], measures: Sequence[str], rounds: int) -> list[tuple[str, str]]:
    """Return what to run, in an order in which a change of the machine meets all systems alike."""
    return [
        (system, name)
        for number in range(rounds)
        for name in measures
        for system in (systems if number % 2 == 0 else reversed(systems))
    ]


def run_all(
    plan: Sequence[tuple[str, str]], budget: float, settings: Sequence[str]
) -> Iterator[Run]:
    """Run what is planned, and yield what comes of it."""
    with TemporaryDirectory() as directory:
        for system, name in plan:
            yield run(catalog.peer(system), name, budget, settings, Path(directory))


def run(entry: Entry, name: str, budget: float, settings: Sequence[str], directory: Path) -> Run:
    """Measure one thing in one system, in a process of its own."""
    output = directory / "figures.json"
    output.unlink(missing_ok=True)
    with (directory / "log").open("w+b") as log:
        process = subprocess.Popen(
            _command(entry, name, budget, output, settings),
            cwd=directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            return Run(entry.key, name, None, f"it took more than {TIMEOUT:g} s")
        finally:
            _end(process)
        if code or not output.exists():
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
            return Run(entry.key, name, None, lines[-1] if lines else f"exit code {code}")
    return Run(entry.key, name, json.loads(output.read_text(encoding="utf-8")))


def _environment() -> dict[str, str]:
    """Return the environment; systems start programs of theirs that lie beside the interpreter."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    return {**os.environ, **_ENVIRONMENT, "PATH": path}


def _command(
    entry: Entry, name: str, budget: float, output: Path, settings: Sequence[str]
) -> list[str]:
    launcher = list(entry.launcher)
    if launcher:
        beside = Path(sys.executable).with_name(launcher[0])
        launcher[0] = str(beside) if beside.exists() else (shutil.which(launcher[0]) or launcher[0])
    ours = list(settings) if entry.key == catalog.OURS else []
    measured = ("-m", "benchmarks.child", entry.key, name, str(budget), str(time.monotonic()))
    return [*launcher, sys.executable, *entry.options, *measured, str(output), *ours]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End whatever a measurement has left in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
