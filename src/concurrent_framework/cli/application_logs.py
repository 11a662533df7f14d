"""The command ``logs``: what an application's tasks wrote wherever they ran, or an environment's log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from concurrent_framework.cli.options import Join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.launch.client import MasterClient

PAUSE = 0.3
"""Seconds between two looks for new lines."""


def logs(
    target: Annotated[
        str,
        typer.Argument(
            metavar="APP | PATH",
            help="An application, by number or name, or the directory of an environment.",
            show_default=False,
        ),
    ],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is added.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, metavar="N", help="Begin with the last N lines.")
    ] = 50,
    join: Join = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each line.")
    ] = False,
) -> None:
    """Show what an application's tasks and systems wrote, or an environment's log.

    With -f, go on until Ctrl-C, or until the application has ended.
    """
    if Path(target).is_dir():
        from concurrent_framework.cli.logs import logs as log_of

        log_of(Path(target), follow=follow, lines=lines, as_json=as_json)
        return
    from concurrent_framework.cli.asking import client_of
    from concurrent_framework.cli.locating import master_of

    with client_of(master_of(join, embedded=True)) as client:
        for line in _lines(client, target, lines, follow=follow):
            print(_as_json(line) if as_json else _as_text(line), flush=follow)


def _lines(
    client: MasterClient, application: str, count: int, *, follow: bool
) -> Iterator[dict[str, Any]]:
    answer = client.query("output", {"application": application, "limit": count})
    yield from answer["lines"]
    while follow:
        time.sleep(PAUSE)
        wanted = {"application": str(answer["application"]), "since": answer["last"]}
        known = client.query("applications")
        if not any(one["application"] == answer["application"] for one in known):
            return
        answer = client.query("output", {**wanted, "limit": 5000})
        yield from answer["lines"]


def _as_text(line: dict[str, Any]) -> str:
    """Write who wrote it, where, and what; each line of several by itself.

    Example:
        >>> _as_text({"time": 0.0, "source": "t", "worker": "w1", "stream": "stderr", "text": "a"})
        't@w1 ! a'

    """
    where = f"{line['source']}@{line['worker']}" if line["worker"] else str(line["source"])
    mark = "|" if line["stream"] in {"stdout", "info", "debug"} else "!"
    return "\n".join(f"{where} {mark} {text}" for text in str(line["text"]).split("\n"))


def _as_json(line: dict[str, Any]) -> str:
    import json

    return json.dumps(line)
