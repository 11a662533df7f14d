"""Commands that run an application: ``run`` and ``demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from concurrent_framework.cli.options import Settings
from concurrent_framework.cli.run_options import RunOptions

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A file (hello.py), FILE.py:CLASS, MODULE:CLASS, or a sample's name.",
        show_default=False,
    ),
]
Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ARGUMENTS",
        help="What follows `--` reaches the application as self.arguments.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        min=1,
        metavar="N",
        help="Tasks to run at a time on this machine.",
        show_default="one per core",
    ),
]
Join = Annotated[
    str,
    typer.Option(
        "--join",
        "-j",
        metavar="LINK",
        help="Run on this master's swarm instead of this machine alone.",
        show_default=False,
    ),
]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach",
        "-d",
        help="Leave once the master has the task system; `concurrent attach` gets its outcome.",
    ),
]
Dashboard = Annotated[
    bool,
    typer.Option("--dashboard", help="Serve the dashboard while it runs; prints a link."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress bar.")]


Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with the application of the same name that the master keeps, if there is one.",
    ),
]


def run(
    target: Target,
    arguments: Arguments = None,
    workers: Workers = None,
    join: Join = "",
    settings: Settings = None,
    detach: Detach = False,
    quiet: Quiet = False,
    *,
    resume: Resume = False,
    dashboard: Dashboard = False,
) -> int:
    """Run an application: here, on a cluster made for it, or on the swarm of a master.

    Ends with the application's exit code; 1 if it failed, 3 if no master answers, 4 if the master
    refuses.
    """
    from concurrent_framework.cli import run as running

    return running.run(
        RunOptions(
            target=target,
            workers=workers,
            join=join,
            settings=tuple(settings or ()),
            detach=detach,
            quiet=quiet,
            resume=resume,
            dashboard=dashboard,
            arguments=tuple(arguments or ()),
        )
    )


def demo(workers: Workers = None) -> int:
    """Render the Mandelbrot set on all cores of this machine, into mandelbrot.png."""
    from concurrent_framework.cli import run as running

    return running.run(RunOptions(target="mandelbrot", workers=workers))
