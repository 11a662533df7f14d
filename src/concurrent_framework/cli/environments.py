"""Commands about environments: ``concurrent env create``, ``launch``, ``stop``, ``app``, ``delete``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from concurrent_framework.cli.options import EnvironmentPath, Json, Settings
from concurrent_framework.cli.running import Quiet
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def create(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="Its directory: a new one, or an empty one. Asked for on a terminal.",
            show_default=False,
        ),
    ] = None,
    app: Annotated[
        str,
        typer.Option(
            "--app",
            metavar="NAME",
            help="It launches this application, of a plug-in or an installed package.",
            show_default=False,
        ),
    ] = "",
    master: Annotated[bool, typer.Option("--master", help="It launches a master.")] = False,
    worker: Annotated[bool, typer.Option("--worker", help="It launches a worker.")] = False,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What people call it.",
            show_default="the directory's name",
        ),
    ] = "",
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            "-l",
            metavar="tcp://HOST:PORT",
            help="Where its master serves other machines.",
            show_default="this machine only",
        ),
    ] = "",
    join: Annotated[
        str,
        typer.Option(
            "--join",
            "-j",
            metavar="LINK",
            help="The master that its worker or application joins.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Make an environment: a directory for all of a master, a worker or an application."""
    from concurrent_framework.cli import creating

    apps = [app] * bool(app) + ["master"] * master + ["worker"] * worker
    if len(apps) > 1:
        message = "an environment launches one thing: give one of --app, --master and --worker"
        raise UsageError(message)
    wanted = creating.Wanted(path, apps[0] if apps else "", name, listen, join)
    creating.create_environment(wanted)


def launch(
    path: EnvironmentPath,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARGUMENTS",
            help="What follows `--` reaches the application as self.arguments.",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
    quiet: Quiet = False,
    background: Annotated[
        bool,
        typer.Option(
            "--background",
            "-b",
            help="Leave it running; `concurrent env stop` ends it.",
        ),
    ] = False,
) -> int:
    """Run what the environment names, until it ends, and end with its exit code."""
    from concurrent_framework import environment as environments

    if background:
        return _launch_in_background(path, settings or (), arguments or ())
    from concurrent_framework.cli.loading import users_errors
    from concurrent_framework.cli.opening import opened
    from concurrent_framework.cli.progress import display_for

    environment = opened(path, settings or ())
    with users_errors(environment.application, may_exit=True):
        return environments.launch(
            environment,
            arguments=arguments or (),
            display=lambda: display_for(environment.title, quiet=quiet),
        )


def _launch_in_background(path: Path, settings: Sequence[str], arguments: Sequence[str]) -> int:
    from concurrent_framework.cli.opening import opened
    from concurrent_framework.environment import launch_in_background
    from concurrent_framework.environment.background import said_of

    environment = opened(path, settings)
    root = environment.layout.root
    holder = launch_in_background(environment, settings, arguments)
    if holder is None:
        print(f"{root} has ended already: see `concurrent logs {path}`")
    else:
        print(f"{root} runs as process {holder.pid}; `concurrent env stop {path}` ends it")
        if environment.application == "master":
            # Its first line says that it is ready and how Ctrl-C ends it.
            print(said_of(environment.layout).partition("\n")[2].rstrip())
    return 0


def stop(
    path: EnvironmentPath,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.0, metavar="SECONDS", help="How long its end may take."),
    ] = 30.0,
) -> None:
    """End what runs in the environment, in an orderly way, and wait until it has ended."""
    from concurrent_framework.environment import stop as stop_environment
    from concurrent_framework.environment.layout import layout_of

    layout = layout_of(path)
    holder = stop_environment(layout, timeout)
    print(f"{layout.root} has ended (it was process {holder.pid})")


def app(
    path: EnvironmentPath,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="master, worker, or the name of an application that is installed or a plug-in.",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Set what the environment launches; without a NAME, show it and what else there is."""
    from concurrent_framework.cli.opening import opened_to_change
    from concurrent_framework.components import IApp
    from concurrent_framework.environment import set_application

    environment = opened_to_change(path)
    if name:
        set_application(environment, name)
        print(f"{environment.layout.root} launches {name}")
        return
    names, chosen = environment.components.names(IApp), environment.application
    if as_json:
        import json

        print(json.dumps({"app": chosen, "apps": names}, indent=2))
        return
    for one in dict.fromkeys([*names, *filter(None, [chosen])]):
        mark = "*" if one == chosen else " "
        print(f"{mark} {one}{'' if one in names else '  (there is no such application)'}")


def delete(
    path: EnvironmentPath,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete it without a question.")] = False,
) -> int:
    """Delete the environment with its data, keys, logs and backups, after a question."""
    from concurrent_framework import environment as environments
    from concurrent_framework.cli.asking_people import agreed
    from concurrent_framework.cli.opening import opened_as_it_is
    from concurrent_framework.environment.lock import demand_unused

    environment = opened_as_it_is(path)
    root = environment.layout.root
    demand_unused(environment.layout)
    if not yes and not agreed(f"Delete {root} with all its data, keys, logs and backups?", "--yes"):
        print("nothing was deleted")
        return 1
    environments.delete(environment)
    print(f"deleted {root}")
    return 0
