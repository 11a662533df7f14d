"""What a benchmark returns, and how long programs take."""

from __future__ import annotations

import statistics
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Figure(NamedTuple):
    """One line of the table: what was measured, what came out, and what it should reach."""

    what: str
    value: str
    goal: str
    reached: bool


def median_seconds(command: Sequence[str], directory: Path, expected: str, rounds: int) -> float:
    """Return the median time a command takes; it must print what is expected."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - began)
        if done.returncode or expected not in done.stdout:
            message = f"{' '.join(command)} printed {done.stdout!r} {done.stderr!r}"
            raise RuntimeError(message)
    return statistics.median(times)
