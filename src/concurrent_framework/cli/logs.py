"""The command ``logs``: an environment's log, also while it is being written."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from concurrent_framework.cli.options import EnvironmentPath

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAUSE = 0.2
"""Seconds between two looks for new lines."""

_RECORD = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<level>[A-Z]+) +(?P<logger>[^:]+): (?P<text>.*)"
)


def logs(
    path: EnvironmentPath,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is added.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, metavar="N", help="Begin with the last N lines.")
    ] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each line.")
    ] = False,
) -> None:
    """Show the environment's log; with -f, go on until Ctrl-C."""
    from concurrent_framework.environment.layout import layout_of

    layout = layout_of(path)
    if not follow and not layout.log.exists():
        print(f"there is no log yet: {layout.root} has not been launched", file=sys.stderr)
    for line in _lines(layout.log, lines, follow=follow):
        print(as_object(line) if as_json else line, flush=follow)


def as_object(line: str) -> str:
    """Return a line as JSON; one that goes on with the message before it has but a text.

    Example:
        >>> as_object("2026-01-31 12:00:00,250 INFO    concurrent: lab starts")
        '{"time": "2026-01-31 12:00:00,250", "level": "info", "logger": "concurrent", "text": "lab starts"}'
        >>> as_object("Traceback (most recent call last):")
        '{"time": null, "level": null, "logger": null, "text": "Traceback (most recent call last):"}'

    """
    import json

    if line.startswith("{"):
        return line  # it was written as JSON
    found = _RECORD.fullmatch(line)
    if found is None:
        return json.dumps({"time": None, "level": None, "logger": None, "text": line})
    return json.dumps({**found.groupdict(), "level": found["level"].lower()})


def _lines(log: Path, count: int, *, follow: bool) -> Iterator[str]:
    from concurrent_framework.environment.logs import follow as followed
    from concurrent_framework.environment.logs import last_lines

    if follow:
        yield from followed(log, _wait, last=count)
    else:
        yield from last_lines(log, count)


def _wait() -> bool:
    time.sleep(PAUSE)
    return True
