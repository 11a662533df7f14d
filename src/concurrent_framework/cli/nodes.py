"""Commands that start a node and stay with it: ``master`` and ``worker``."""

from __future__ import annotations

from typing import Annotated

import typer

from concurrent_framework.cli.options import Name, Settings, WorkerName


def master(
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            "-l",
            metavar="tcp://HOST:PORT",
            help="Also serve other machines here, encrypted; prints the links they need.",
            show_default="this machine only",
        ),
    ] = "",
    name: Name = "",
    settings: Settings = None,
) -> int:
    """Start a master: it takes in applications and workers and decides what runs where."""
    from concurrent_framework.cli.starting import start_master

    return start_master(listen, name, settings or ())


def worker(
    join: Annotated[
        str,
        typer.Option(
            "--join",
            "-j",
            metavar="LINK",
            help="The workers' link that the master printed.",
            show_default="the master on this machine",
        ),
    ] = "",
    executors: Annotated[
        int | None,
        typer.Option(
            "--executors",
            "-e",
            min=1,
            metavar="N",
            help="Tasks to run at a time.",
            show_default="one per core",
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="LABEL",
            help="What tasks may ask this worker for; may be repeated.",
            show_default=False,
        ),
    ] = None,
    name: WorkerName = "",
    settings: Settings = None,
) -> int:
    """Start a worker: it runs the tasks that its master hands it."""
    from concurrent_framework.cli.node_options import worker_settings
    from concurrent_framework.cli.starting import start_worker

    more = worker_settings("" if executors is None else str(executors), labels or ())
    return start_worker(join, name, (*(settings or ()), *more))
