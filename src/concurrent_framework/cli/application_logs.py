"""The command ``logs``: what an application's tasks wrote wherever they ran, or an environment's log."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zlib import crc32

import typer

from concurrent_framework.cli.exits import coloured
from concurrent_framework.cli.options import Join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.launch.client import MasterClient

PAUSE = 0.3
"""Seconds between two looks for new lines."""

_STREAMS = {"stdout": ("", "|"), "info": ("", "|"), "debug": ("2", "|"), "warning": ("33", "!")}
"""How a line of each stream is shown; of any other, something is wrong."""
_SOURCES = ("36", "32", "35", "34", "96", "92", "95", "94")
"""Colours of sources; none of those that say how a line is meant."""


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

    paint = coloured(sys.stdout)
    with client_of(master_of(join, embedded=True)) as client:
        for line in _lines(client, target, lines, follow=follow):
            print(_as_json(line) if as_json else _as_text(line, paint=paint), flush=follow)


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


def _as_text(line: dict[str, Any], *, paint: bool = False) -> str:
    """Write who wrote it, where, and what; each line of several by itself.

    Args:
        line: as the master tells it.
        paint: whether to use colours: each source has its own, and what went wrong is red.

    Example:
        >>> _as_text({"time": 0.0, "source": "t", "worker": "w1", "stream": "stderr", "text": "a"})
        't@w1 ! a'

    """
    where = f"{line['source']}@{line['worker']}" if line["worker"] else str(line["source"])
    style, mark = _STREAMS.get(line["stream"], ("31", "!"))
    texts = str(line["text"]).split("\n")
    if not paint:
        return "\n".join(f"{where} {mark} {text}" for text in texts)
    colour = _SOURCES[crc32(str(line["source"]).encode()) % len(_SOURCES)]
    return "\n".join(
        f"{_in(colour, where)} {_in(style, mark)} {_in(style, text)}" for text in texts
    )


def _in(style: str, text: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style and text else text


def _as_json(line: dict[str, Any]) -> str:
    import json

    return json.dumps(line)
