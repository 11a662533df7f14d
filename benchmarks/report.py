"""RESULTS.md: what was measured, on what, and how Concurrent compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import catalog
from benchmarks.goals import verdicts
from benchmarks.machine import describe
from benchmarks.written import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.measures.measure import Measure, Shown
    from benchmarks.own.measure import OwnFound
    from benchmarks.summary import Found, Summary


class Circumstances(NamedTuple):
    """How a run was made.

    Args:
        rounds: repetitions of each measurement.
        budget: seconds of a measured run.
        settings: of Concurrent.
        loads: the machine's load before and after.
        plots: names of the pictures, to be shown.

    """

    rounds: int
    budget: float
    settings: Sequence[str]
    loads: tuple[float, float]
    plots: Sequence[str]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return [*lines, ""]


def report(found: Found, own: Sequence[OwnFound], how: Circumstances) -> str:
    """Return the whole report."""
    about = (
        "Made by `make bench`; do not edit. Concurrent and its peers ran in turn on one machine, each "
        f"measurement in a process of its own, {how.rounds} times at most; a measured run takes about "
        f"{how.budget:g} s. The tables show medians and, in brackets, the lowest and the highest. "
        "*Ratio* says how many times better Concurrent was in this run: over 1 it is ahead. "
        "All use two executors."
    )
    lines = [
        "# Results of the benchmarks",
        "",
        about,
        "",
        *_circumstances(how),
        *_goals(found),
    ]
    for name in found.measures:
        lines += _measure(found, catalog.measure(name))
    for one in own:
        lines += [f"## {one.title}", "", one.about, "", *table(one.head, one.rows)]
    if how.plots:
        lines += ["## Pictures", "", *[f"![{name}](plots/{name})" for name in how.plots], ""]
    return "\n".join(lines)


def _circumstances(how: Circumstances) -> list[str]:
    before, after = how.loads
    rows = [*describe(), ("load (1 min)", f"{before:.1f} before, {after:.1f} after")]
    if before > 1:
        rows[-1] = (rows[-1][0], f"{rows[-1][1]}: **the machine had other work to do**")
    rows.append(("settings of Concurrent", ", ".join(how.settings) or "defaults"))
    rows += [
        (entry.name, entry.version if entry.installed else "**not installed, not measured**")
        for entry in catalog.PEERS
    ]
    return table(("what", "value"), rows)


def _goals(found: Found) -> list[str]:
    rows = [
        (one.what, one.goal, one.reached, "yes" if one.met else "**no**") for one in verdicts(found)
    ]
    return ["## Goals", "", *table(("figure", "goal", "reached", "met"), rows)] if rows else []


def _measure(found: Found, measure: Measure) -> list[str]:
    head = ["system"]
    for shown in measure.shown:
        head += [f"{shown.title}, {shown.unit}", "ratio"]
    rows = []
    for system in sorted(found.systems, key=lambda key: _place(found, measure, key)):
        entry = catalog.peer(system)
        cells = [f"**{entry.name}**" if system == catalog.OURS else entry.name]
        for shown in measure.shown:
            cells += _cells(found, measure, system, shown)
        rows.append(cells)
    return [f"## {measure.title}", "", measure.about, "", *table(head, rows)]


def _cells(found: Found, measure: Measure, system: str, shown: Shown) -> list[str]:
    summary = found.summary(system, measure.name, shown.key)
    if summary is None:
        return [found.why_not(system, measure.name), ""]
    ratio = found.ratio(system, measure.name, shown)
    return [spread(summary), "" if ratio is None else number(ratio)]


def spread(summary: Summary) -> str:
    """Return a median with the range around it."""
    if summary.runs == 1:
        return number(summary.median)
    return f"{number(summary.median)} ({number(summary.lowest)}-{number(summary.highest)})"


def _place(found: Found, measure: Measure, system: str) -> float:
    """Where a system belongs in a table: the best first."""
    shown = measure.shown[0]
    summary = found.summary(system, measure.name, shown.key)
    if summary is None:
        return float("inf")
    return -summary.median if shown.better == "more" else summary.median
