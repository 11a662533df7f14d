"""Makes an environment from what was typed, and from answers where that leaves something open."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

from concurrent_framework.cli.asking_people import asked, somebody_there
from concurrent_framework.components import IApp
from concurrent_framework.config.nearest import nearest
from concurrent_framework.environment import Environment, create
from concurrent_framework.environment.creating import demand_free
from concurrent_framework.environment.monitoring import demand_joinable, is_path
from concurrent_framework.launch.components import report_on_stderr
from concurrent_framework.model.errors import UsageError


class Wanted(NamedTuple):
    """What an environment is to be; empty is what was left open.

    Args:
        path: its directory.
        app: what it launches.
        name: what people call it.
        listen: where a master serves other machines.
        join: the master that a worker or an application joins.

    """

    path: Path | None
    app: str
    name: str
    listen: str
    join: str


def create_environment(wanted: Wanted) -> None:
    """Make it, after asking for what is missing if there is somebody to ask.

    Raises:
        UsageError: what was typed does not fit together, or there is something at the path.
        ConcurrentError: the disk is full, read-only or not ours.

    """
    if somebody_there() and not (wanted.path and wanted.app):
        wanted = _completed(wanted)
    if wanted.path is None:
        message = "which directory? `concurrent env create PATH` makes an environment there"
        raise UsageError(message)
    root = wanted.path.expanduser().resolve()
    if is_path(wanted.join):  # typed from here, but written down as seen from the environment
        wanted = wanted._replace(join=os.path.relpath(Path(wanted.join).expanduser(), root))
    _demand_fitting(wanted, root)
    environment = create(
        root,
        app=wanted.app,
        name=wanted.name,
        settings={"listen": wanted.listen, "join": wanted.join},
        opener=partial(Environment.open, environ=os.environ, report=report_on_stderr),
    )
    _tell(environment)


def _completed(wanted: Wanted) -> Wanted:
    root = (wanted.path or Path(asked("Directory"))).expanduser().resolve()
    demand_free(root)
    wanted = wanted._replace(path=root)
    if not wanted.app:
        question = "What it launches: master, worker, or an application's name (empty: set later)"
        wanted = wanted._replace(app=asked(question, ""))
    if not wanted.name:
        wanted = wanted._replace(name=asked("Name", root.name))
    if wanted.app == "master" and not wanted.listen:
        question = "Address for other machines, as tcp://0.0.0.0:8081 (empty: this machine only)"
        wanted = wanted._replace(listen=asked(question, ""))
    elif wanted.app == "worker" and not wanted.join:
        question = "Link of its master (empty: the master on this machine)"
        wanted = wanted._replace(join=asked(question, ""))
    elif wanted.app and wanted.app != "master" and not wanted.join:
        question = "Link of its master, or auto for that on this machine (empty: its own cluster)"
        wanted = wanted._replace(join=asked(question, ""))
    return wanted


def _demand_fitting(wanted: Wanted, root: Path) -> None:
    if wanted.listen and wanted.app != "master":
        message = "--listen is for a master's environment: give --master too"
        raise UsageError(message)
    if wanted.join and wanted.app == "master":
        message = "--join is for a worker or an application: a master is what they join"
        raise UsageError(message)
    demand_joinable(wanted.join, root)


def _tell(environment: Environment) -> None:
    root, app = environment.layout.root, environment.application
    print(f"created {root}")
    if not app:
        print(f"set what it launches:  concurrent env app {root} NAME")
    elif app not in (known := environment.components.names(IApp)):
        if near := nearest(app, known):
            print(f"did you mean {near}?  concurrent env app {root} {near}")
        print(f"put a plug-in that has the application {app!r} into {environment.layout.plugins}")
    print(f"start it:  concurrent env launch {root}")
