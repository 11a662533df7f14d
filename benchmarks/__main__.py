"""``python -m benchmarks`` measures Concurrent next to its peers, and writes RESULTS.md and plots."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import catalog, machine
from benchmarks.own import measure as own
from benchmarks.report import Circumstances, report, spread
from benchmarks.running import run_all, schedule
from benchmarks.summary import Found
from benchmarks.written import number

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from benchmarks.own.measure import OwnFound
    from benchmarks.running import Run

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """Measure; return 0, or 1 if a measurement has failed. Ctrl-C ends it with what there is."""
    options = _options(arguments)
    console = Console()
    if options.list:
        _list(console)
        return 0
    for entry in catalog.PEERS:
        if entry.key in options.peers and not entry.installed:
            console.print(f"[yellow]{entry.name} is not installed: pip install -e '.[bench]'")
    systems = [key for key in options.peers if catalog.peer(key).installed]
    before = machine.load()
    runs, alone = _measure(options, systems, console)
    found = Found(runs)
    _show(found, alone, console)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        plots = []
        if not options.no_plots:
            from benchmarks.plots import draw

            plots = draw(found, alone, options.output / "plots")
        loads = (before, machine.load())
        how = Circumstances(options.rounds, options.budget, options.settings, loads, plots)
        results = options.output / "RESULTS.md"
        results.write_text(report(found, alone, how), encoding="utf-8")
        console.print(f"wrote {results}")
    return int(any(run.problem for run in runs))


def _options(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", metavar="MEASURE", help="only this measure, or several: a,b")
    add("--peers", metavar="A,B", help="only these systems")
    add("--quick", action="store_true", help="small sizes, once: whether it works, not how fast")
    add("--list", action="store_true", help="say what there is to measure, and stop")
    add(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="SECTION.KEY=VALUE",
        help="a setting of Concurrent, such as master.store=sqlite",
    )
    add("--rounds", type=int, help="repetitions of each measurement")
    add("--budget", type=float, help="seconds of a measured run")
    add(
        "--output",
        type=Path,
        metavar="DIRECTORY",
        help="where RESULTS.md and plots go; by default, only a run of everything writes them",
    )
    add("--no-plots", action="store_true", help="draw nothing")
    options = parser.parse_args(arguments)
    if options.output is None and not (options.only or options.peers or options.quick):
        options.output = HERE
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.budget = options.budget or (0.2 if options.quick else 1.5)
    every = (*catalog.MEASURES, *own.NAMES)
    options.only = _chosen(parser, "measure", options.only, every)
    options.peers = _chosen(parser, "system", options.peers, [one.key for one in catalog.PEERS])
    return options


def _chosen(
    parser: ArgumentParser, what: str, names: str | None, known: Sequence[str]
) -> list[str]:
    if names is None:
        return list(known)
    chosen = names.split(",")
    for name in chosen:
        if name not in known:
            parser.error(f"there is no {what} {name!r}; there are {', '.join(known)}")
    return chosen


def _measure(
    options: Namespace, systems: list[str], console: Console
) -> tuple[list[Run], list[OwnFound]]:
    compared = [name for name in catalog.MEASURES if name in options.only]
    alone = [name for name in own.NAMES if name in options.only and catalog.OURS in systems]
    plan = schedule(systems, compared, options.rounds)
    runs: list[Run] = []
    found: list[OwnFound] = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=len(plan) + len(alone))
        try:
            for name in alone:
                progress.update(bar, description=f"{name}: Concurrent")
                found.append(own.measure(name, options.settings, quick=options.quick))
                progress.advance(bar)
            for run in run_all(plan, options.budget, options.settings):
                runs.append(run)
                name = catalog.peer(run.system).name
                if run.problem:
                    progress.console.print(f"[red]{run.measure} of {name} failed:[/] {run.problem}")
                progress.update(bar, advance=1, description=f"{run.measure}: {name}")
        except KeyboardInterrupt:
            progress.console.print("[yellow]stopped; this is what was measured until now")
    return runs, found


def _show(found: Found, alone: list[OwnFound], console: Console) -> None:
    for name in found.measures:
        measure = catalog.measure(name)
        heads = [f"{shown.title}, {shown.unit}" for shown in measure.shown]
        grid = Table(measure.title, *heads, "ratio")
        for system in found.systems:
            cells = []
            for shown in measure.shown:
                summary = found.summary(system, name, shown.key)
                cells.append(spread(summary) if summary else found.why_not(system, name))
            ratio = found.ratio(system, name, measure.shown[0])
            grid.add_row(catalog.peer(system).name, *cells, number(ratio) if ratio else "")
        console.print(grid)
    for one in alone:
        grid = Table(*one.head, title=one.title)
        for row in one.rows:
            grid.add_row(*row)
        console.print(grid)


def _list(console: Console) -> None:
    systems = Table("system", "is", "version")
    for entry in catalog.PEERS:
        installed = entry.version if entry.installed else "[yellow]not installed"
        systems.add_row(entry.key, entry.name, installed)
    measures = Table("measure", "of", "is")
    for name in catalog.MEASURES:
        measures.add_row(name, "all", catalog.measure(name).title)
    for name in own.NAMES:
        measures.add_row(name, "Concurrent", own.TITLES[name])
    console.print(systems, measures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
