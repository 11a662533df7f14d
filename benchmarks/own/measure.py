"""Measures of Concurrent alone, which no peer has anything to compare with."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLES = {
    "budget": "Processor time of a task, by process",
    "memory": "Memory of a queued task",
    "stream": "Memory while a generator's tasks pass through",
    "pending": "Cost of a task, by how many are pending",
    "workers": "Cost of a task, by the number of workers",
    "applications": "Cost of a task, by the number of applications",
    "executors": "A worker's executors alone",
    "speedup": "Speed-up of long tasks",
    "startup": "Start-up of the command",
    "throughput": "Submissions that are safe",
    "journal": "What the journal costs",
    "recovery": "A master that begins again",
    "observing": "What it costs to be seen",
}
NAMES = tuple(TITLES)


class OwnFound(NamedTuple):
    """What a measure found, as a table and perhaps a line to draw.

    Args:
        name: how the command line calls the measure.
        title: how the report does.
        about: what exactly is done.
        head: names of the table's columns.
        rows: its cells.
        points: a line to draw, with the first two columns as axes.

    """

    name: str
    title: str
    about: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    points: Sequence[tuple[float, float]] = ()


def measure(name: str, settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Run a measure."""
    found: OwnFound = import_module(f"benchmarks.own.{name}").measure(settings, quick=quick)
    return found
