"""All commands, as Typer shows them in ``concurrent --help``."""

from __future__ import annotations

from typing import Annotated

import typer

from concurrent_framework.cli import (
    api,
    application_logs,
    configuration,
    console,
    control,
    environments,
    nodes,
    plugins,
    queries,
    running,
    saving,
    simulating,
    steering,
    top,
)
from concurrent_framework.cli.helping import Command, Group
from concurrent_framework.cli.target import sample_names

app = typer.Typer(
    name="concurrent",
    cls=Group,
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
ENVIRONMENTS = "Keep environments"

SAMPLES = f"Samples: {', '.join(sample_names())}. Their own options: concurrent run NAME -- --help"
app.command("run", rich_help_panel=RUN, epilog=SAMPLES)(running.run)
app.command("demo", rich_help_panel=RUN)(running.demo)
app.command("master", rich_help_panel=NODES)(nodes.master)
app.command("worker", rich_help_panel=NODES)(nodes.worker)
app.command("status", rich_help_panel=LOOK)(queries.status)
app.command("apps", rich_help_panel=LOOK)(queries.apps)
app.command("ps", rich_help_panel=LOOK)(queries.ps)
app.command("explain", rich_help_panel=LOOK)(queries.explain)
app.command("failed", rich_help_panel=LOOK)(queries.failed)
app.command("show", rich_help_panel=LOOK)(queries.show)
app.command("top", rich_help_panel=LOOK)(top.top)
app.command("logs", rich_help_panel=LOOK)(application_logs.logs)
app.command("stats", rich_help_panel=LOOK)(api.stats)
app.command("dashboard", rich_help_panel=LOOK)(api.dashboard)
app.command("attach", rich_help_panel=STEER)(control.attach)
app.command("cancel", rich_help_panel=STEER)(control.cancel)
app.command("pause", rich_help_panel=STEER)(steering.pause)
app.command("resume", rich_help_panel=STEER)(steering.resume)
# A priority may be negative, which looks like an option.
NEGATIVE = {"ignore_unknown_options": True}
app.command("priority", rich_help_panel=STEER, context_settings=NEGATIVE)(steering.priority)
app.command("retry", rich_help_panel=STEER)(steering.retry)
app.command("drain", rich_help_panel=STEER)(steering.drain)


def _group(name: str, about: str) -> typer.Typer:
    """Return a group of commands that looks as the others do."""
    return typer.Typer(
        name=name, cls=Group, help=about, no_args_is_help=True, rich_markup_mode="rich"
    )


env = _group(
    "env",
    "Make, launch, save and delete environments: directories for all of one node or application.",
)
env.command("create")(environments.create)
env.command("launch")(environments.launch)
env.command("stop")(environments.stop)
env.command("app")(environments.app)
env.command("config")(configuration.config)
env.command("plugins")(plugins.plugins)
env.command("backup")(saving.backup)
env.command("restore")(saving.restore)
env.command("upgrade")(saving.upgrade)
env.command("delete")(environments.delete)
app.add_typer(env, name="env", rich_help_panel=ENVIRONMENTS)
app.command("config", rich_help_panel=ENVIRONMENTS)(configuration.config)
app.command("plugins", rich_help_panel=ENVIRONMENTS)(plugins.plugins)
app.command("console", rich_help_panel=ENVIRONMENTS)(console.console)

bench = _group("bench", "Find out what would be quicker.")
bench.command("simulate")(simulating.simulate)
app.add_typer(bench, name="bench", rich_help_panel=LOOK)


for group in (app, env, bench):
    for one in group.registered_commands:
        one.cls = Command


def command_names() -> set[str]:
    """Return the names of all commands, those of groups as ``group command``."""
    groups = {group.name: group.typer_instance for group in app.registered_groups if group.name}
    found = {command.name for command in app.registered_commands if command.name}
    for name, group in groups.items():
        assert group is not None
        found.add(name)
        found |= {f"{name} {command.name}" for command in group.registered_commands}
    return found


def _version(asked: bool) -> None:
    if asked:
        from concurrent_framework import __version__

        print(f"concurrent {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    del version
