"""Medians, spreads and ratios of repeated measurements."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measures.measure import Shown
    from benchmarks.running import Run


class Summary(NamedTuple):
    """A figure of one system over all repetitions."""

    median: float
    lowest: float
    highest: float
    runs: int


class Found:
    """Everything that was found."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: dict[tuple[str, str], list[Run]] = {}
        for run in runs:
            self._runs.setdefault((run.system, run.measure), []).append(run)

    def of(self, system: str, measure: str) -> Sequence[Run]:
        """Return the runs of one measure in one system."""
        return self._runs.get((system, measure), ())

    @property
    def measures(self) -> list[str]:
        """The measures that were run, in their order."""
        ran = {measure for _, measure in self._runs}
        return [name for name in catalog.MEASURES if name in ran]

    @property
    def systems(self) -> list[str]:
        """The systems that were measured, in their order."""
        ran = {system for system, _ in self._runs}
        return [entry.key for entry in catalog.PEERS if entry.key in ran]

    def summary(self, system: str, measure: str, key: str) -> Summary | None:
        """Return a figure; None if no run has it."""
        values = [
            value
            for run in self.of(system, measure)
            if run.figures is not None and isinstance(value := run.figures.get(key), float | int)
        ]
        if not values:
            return None
        return Summary(median(values), min(values), max(values), len(values))

    def curve(self, system: str, measure: str) -> list[list[float]]:
        """Return the curve of the first run that has one."""
        for run in self.of(system, measure):
            if run.figures is not None and isinstance(curve := run.figures.get("curve"), list):
                return curve
        return []

    def why_not(self, system: str, measure: str) -> str:
        """Return why there are no figures."""
        problems = [run.problem for run in self.of(system, measure) if run.problem]
        if problems:
            return f"failed: {problems[-1]}"
        figures = [run.figures for run in self.of(system, measure)]
        return "no such interface" if None in figures else "beyond what was tried"

    def ratio(self, system: str, measure: str, shown: Shown) -> float | None:
        """Return how many times better Concurrent is; None if either has no figure."""
        ours = self.summary(catalog.OURS, measure, shown.key)
        theirs = self.summary(system, measure, shown.key)
        if ours is None or theirs is None or system == catalog.OURS:
            return None
        better, worse = (ours, theirs) if shown.better == "more" else (theirs, ours)
        return better.median / worse.median if worse.median else None
