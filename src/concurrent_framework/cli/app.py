"""All commands, as Typer shows them in ``concurrent --help``."""

from __future__ import annotations

from typing import Annotated

import typer

from concurrent_framework.cli import (
    api,
    application_logs,
    control,
    nodes,
    queries,
    running,
    top,
)
from concurrent_framework.cli.target import sample_names

app = typer.Typer(
    name="concurrent",
    help="Distribute the logic of a whole application onto a swarm of clusters.",
    epilog="Start with: concurrent demo",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RUN = "Run"
NODES = "Build a cluster"
LOOK = "Look"
STEER = "Steer"

app.command("run", rich_help_panel=RUN, epilog=f"Samples: {', '.join(sample_names())}")(running.run)
app.command("demo", rich_help_panel=RUN)(running.demo)
app.command("master", rich_help_panel=NODES)(nodes.master)
app.command("worker", rich_help_panel=NODES)(nodes.worker)
app.command("status", rich_help_panel=LOOK)(queries.status)
app.command("apps", rich_help_panel=LOOK)(queries.apps)
app.command("ps", rich_help_panel=LOOK)(queries.ps)
app.command("explain", rich_help_panel=LOOK)(queries.explain)
app.command("top", rich_help_panel=LOOK)(top.top)
app.command("logs", rich_help_panel=LOOK)(application_logs.logs)
app.command("stats", rich_help_panel=LOOK)(api.stats)
app.command("dashboard", rich_help_panel=LOOK)(api.dashboard)
app.command("attach", rich_help_panel=STEER)(control.attach)
app.command("cancel", rich_help_panel=STEER)(control.cancel)


def command_names() -> set[str]:
    """Return the names of all commands."""
    return {command.name for command in app.registered_commands if command.name}


def _version(asked: bool) -> None:
    if asked:
        from concurrent_framework import __version__

        print(f"concurrent {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", help="Show the version.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    del version
