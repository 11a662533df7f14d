"""The command ``top``: the cluster live in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from concurrent_framework.cli.options import Join, Json

if TYPE_CHECKING:
    from concurrent_framework.cli.watching import Look, Watch
    from concurrent_framework.launch.client import MasterClient

APART = 0.5
"""Seconds between the two looks that a rate needs, when there is one picture only."""


def top(
    join: Join = "",
    interval: Annotated[
        float,
        typer.Option(
            "--interval", "-i", min=0.2, metavar="SECONDS", help="Time between two looks."
        ),
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Show one picture and end.")] = False,
    as_json: Json = False,
) -> None:
    """Show live what the cluster does; q ends it. Without a terminal it shows one picture."""
    from concurrent_framework.cli.asking import client_of
    from concurrent_framework.cli.locating import master_of
    from concurrent_framework.cli.watching import Watch

    with client_of(master_of(join, embedded=True)) as client:
        watch = Watch()
        if as_json or once or not (sys.stdout.isatty() and sys.stdin.isatty()):
            _one_picture(client, watch, as_json=as_json)
        else:
            _live(client, watch, interval)


def _look(client: MasterClient, watch: Watch) -> Look:
    import time

    status: dict[str, Any] = client.query("status")
    workers, applications = client.query("workers"), client.query("applications")
    return watch.take(time.monotonic(), status, workers, applications)


def _one_picture(client: MasterClient, watch: Watch, *, as_json: bool) -> None:
    import time

    _look(client, watch)
    time.sleep(APART)
    look = _look(client, watch)
    if as_json:
        import json

        print(json.dumps(look._asdict(), indent=2))
        return
    from concurrent_framework.cli.tables import out
    from concurrent_framework.cli.top_picture import picture

    out().print(picture(look))


def _live(client: MasterClient, watch: Watch, interval: float) -> None:
    from rich.live import Live

    from concurrent_framework.cli.keys import Keys
    from concurrent_framework.cli.top_picture import Room, picture

    with Keys(sys.stdin) as keys, Live(screen=True, auto_refresh=False) as live:
        while True:
            room = Room(live.console.width, live.console.height)
            live.update(picture(_look(client, watch), "q ends", room), refresh=True)
            if keys.pressed("q", interval):
                return
