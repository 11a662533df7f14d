"""The command ``bench simulate``: a recorded run once more, in virtual time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from concurrent_framework.cli.options import Json, Settings
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent_framework.components import ComponentManager
    from concurrent_framework.environment import Environment
    from concurrent_framework.rehearsal.variants import Variant
    from concurrent_framework.rehearsal.workload import Workload

ALL = "all"
Names = list[str] | None


def simulate(  # noqa: PLR0917 (one argument per option)
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A recording (see master.record), a journal in SQLite, or a master's environment.",
            show_default=False,
        ),
    ],
    strategy: Annotated[
        Names,
        typer.Option(
            "--strategy",
            "-s",
            metavar="NAME",
            help="A strategy to try, or all; may be repeated.",
            show_default="the configured one",
        ),
    ] = None,
    scheduler: Annotated[
        Names,
        typer.Option(
            "--scheduler",
            metavar="NAME",
            help="A scheduler to try: push, pull, or a plug-in's; may be repeated.",
            show_default="the configured one",
        ),
    ] = None,
    workers: Annotated[
        list[int] | None,
        typer.Option(
            "--workers",
            "-w",
            min=1,
            max=100_000,
            metavar="N",
            help="How many workers there are, like the recorded ones; may be repeated.",
            show_default="as many as recorded",
        ),
    ] = None,
    executors: Annotated[
        int | None,
        typer.Option(
            "--executors",
            "-e",
            min=1,
            max=10_000,
            metavar="N",
            help="Executors of each worker.",
            show_default="as many as recorded",
        ),
    ] = None,
    latency: Annotated[
        float,
        typer.Option(
            min=0.0, metavar="MS", help="Milliseconds that a message takes to or from a worker."
        ),
    ] = 0.1,
    bandwidth: Annotated[
        float,
        typer.Option(
            min=0.0,
            metavar="MB/S",
            help="Megabytes of shared objects per second to each worker; 0 for no limit.",
        ),
    ] = 1000.0,
    arrivals: Annotated[
        Literal["recorded", "at-start"],
        typer.Option(help="When tasks come: when they came, or all at the start."),
    ] = "recorded",
    plugins: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="FOLDER",
            help="Plug-ins to try that are not installed, as in an environment's plugins folder.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Simulate a recorded run with other strategies, schedulers or workers, and compare.

    The real master and strategies run in virtual time, with the run times that were measured.
    """
    from concurrent_framework.cli.progress import display_for
    from concurrent_framework.environment.layout import CONFIG
    from concurrent_framework.rehearsal import sources
    from concurrent_framework.rehearsal.figures import recorded_figures
    from concurrent_framework.rehearsal.stage import Network
    from concurrent_framework.rehearsal.variants import rehearse
    from concurrent_framework.rehearsal.workload import workload_of

    at = path.expanduser() if (path.expanduser() / CONFIG).is_file() else None
    given = settings or []
    make = _maker(at, plugins)
    environment = _environment(at, given) if at is not None else None
    notes: list[str] = []
    source = sources.find(path.expanduser(), environment)
    workload = workload_of(sources.read(source, environment, notes))
    variants = _variants(make(given), workload, strategy, scheduler, workers, executors)
    network = Network(latency / 1000, bandwidth * 1e6)
    total = len(variants) * len(workload.jobs)
    display = display_for("simulating", quiet=as_json)
    results = []
    try:
        for turn, variant in enumerate(variants):

            def progress(done: int, turn: int = turn, title: str = variant.title) -> None:
                display.progress(turn * len(workload.jobs) + done, total, title)

            chosen = [*given, f"master.scheduler={variant.scheduler}"]
            chosen += [f"master.strategy={variant.strategy}"] if variant.strategy else []
            found = rehearse(
                workload,
                variant,
                network,
                make(chosen),
                progress,
                at_start=arrivals == "at-start",
            )
            results.append((variant, found))
    finally:
        display.close()
    _add_notes(notes, workload, results, arrivals)
    from concurrent_framework.cli import simulation_shown as shown

    if as_json:
        shown.print_json(workload, recorded_figures(workload), results, notes)
    else:
        shown.show(workload, recorded_figures(workload), results, notes)


def _maker(at: Path | None, plugins: Path | None) -> Callable[[Sequence[str]], ComponentManager]:
    """Return what makes the components for some settings, new ones each time."""

    def make(settings: Sequence[str]) -> ComponentManager:
        if at is not None:
            components = _environment(at, settings).components
            if plugins is not None:
                components.discover(plugins, installed=False)
            return components
        from concurrent_framework.config import Config
        from concurrent_framework.launch.components import components_for

        return components_for(Config.load(None, os.environ, settings), plugins=plugins)

    return make


def _environment(path: Path, settings: Sequence[str]) -> Environment:
    from concurrent_framework.cli.opening import opened

    return opened(path, settings)


def _variants(
    components: ComponentManager,
    workload: Workload,
    strategies: Names,
    schedulers: Names,
    workers: list[int] | None,
    executors: int | None,
) -> list[Variant]:
    """Return everything to try: each scheduler, with each strategy if it has one, on each cluster."""
    from concurrent_framework.master.node import MasterNode
    from concurrent_framework.rehearsal.variants import Variant, resized
    from concurrent_framework.scheduling.base import IScheduleStrategy, ITaskScheduler
    from concurrent_framework.scheduling.push import PushScheduler

    config = components.config
    chosen_schedulers = _names(components, "scheduler", ITaskScheduler, schedulers) or [
        config.value(MasterNode.scheduler)
    ]
    chosen_strategies = _names(components, "strategy", IScheduleStrategy, strategies)
    if chosen_strategies and PushScheduler.name not in chosen_schedulers:
        if schedulers:
            message = (
                f"--strategy is for the scheduler {PushScheduler.name}; "
                f"{' and '.join(chosen_schedulers)} has none"
            )
            raise UsageError(message)
        chosen_schedulers = [PushScheduler.name]
    variants = []
    counts: list[int | None] = [*workers] if workers else [None]
    for count in counts:
        helpers = resized(workload.helpers, count, executors)
        for name in chosen_schedulers:
            if name == PushScheduler.name:
                tried = chosen_strategies or [config.value(PushScheduler.strategy)]
                variants += [Variant(name, one, helpers) for one in tried]
            else:
                variants.append(Variant(name, "", helpers))
    return variants


def _names(components: ComponentManager, what: str, interface: Any, given: Names) -> list[str]:
    """Return the names that were asked for, each once; none if nothing was."""
    known = components.names(interface)
    names: dict[str, None] = {}
    for word in given or []:
        for name in word.split(","):
            if name == ALL:
                names.update(dict.fromkeys(known))
            elif name in known:
                names[name] = None
            else:
                message = f"there is no {what} {name!r}; there are {', '.join(known)}, and {ALL}"
                raise UsageError(message)
    return list(names)


def _add_notes(notes: list[str], workload: Workload, results: list[Any], arrivals: str) -> None:
    """Say what has to be known to read the figures rightly."""
    from concurrent_framework.cli.amounts import count, span

    if workload.left_out:
        notes.append(
            f"{count(workload.left_out)} tasks are left out: they did not run, or had not ended"
        )
    last = max(job.arrival for job in workload.jobs)
    quickest = min(figures.makespan for _, figures in results)
    if arrivals == "recorded" and last > 0.5 * quickest:
        notes.append(
            f"the last task came after {span(last)}, and nothing can end sooner:"
            " --arrivals at-start has all come at once"
        )
