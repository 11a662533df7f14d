"""How a look at the cluster is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Group
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from concurrent_framework.cli.amounts import age, count, rate, size, span
from concurrent_framework.cli.tables import STATE_STYLES, make_table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from concurrent_framework.cli.watching import Look

BAR = 12
NARROW_BAR = 5
WIDE = 110
"""Characters; a narrower terminal gets less of everything."""
NAME = 10
MASTER = 24
AROUND = 14
"""Lines around the rows of the two tables."""


class Short:
    """A name in one line, cut in its middle if it is too long: its end tells it from others.

    Args:
        text: the whole name.

    """

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Tell how wide it may be."""
        width = self._text.cell_len
        return Measurement(min(width, NAME), width).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        text = _cut(self._text, options.max_width)
        text.no_wrap, text.overflow = True, "ellipsis"
        yield text


class Room(NamedTuple):
    """How much of a terminal there is, in characters and lines."""

    width: int
    height: int


def picture(look: Look, hint: str = "", room: Room | None = None) -> RenderableType:
    """Draw the cluster: the master in two lines, applications and workers as tables.

    Args:
        look: the cluster.
        hint: a line below.
        room: what it has to fit into; None for all there is to draw.

    """
    narrow = room is not None and room.width < WIDE
    lines = None if room is None else max(2, room.height - AROUND)
    upper = None if lines is None else max(1, lines - min(len(look.nodes), lines // 2))
    applications, fewer = _some(look.applications, upper)
    lower = None if lines is None else max(1, lines - len(applications))
    nodes, less = _some(look.nodes, lower)
    drawn = [
        _head(look),
        _applications(applications, narrow=narrow),
        *_more(fewer, "applications: concurrent apps"),
        _nodes(nodes, narrow=narrow),
        *_more(less, "workers: concurrent status"),
    ]
    return Group(*drawn, Text(hint, "dim")) if hint else Group(*drawn)


def _some(found: list[dict[str, Any]], most: int | None) -> tuple[list[dict[str, Any]], int]:
    """Return as many as there is room for, and how many are left."""
    if most is None or len(found) <= most:
        return found, 0
    return found[:most], len(found) - most


def _more(left: int, what: str) -> list[Text]:
    return [Text(f"  and {count(left)} more {what}", "dim")] if left else []


def _cut(text: Text, width: int) -> Text:
    if not text.cell_len > width > 2:  # there is an end on either side of the ellipsis
        return text.copy()
    tail = (width - 1) // 2
    return Text.assemble(text[: width - 1 - tail], "…", text[-tail:])


def _head(look: Look) -> RenderableType:
    status = look.status
    first = Text.assemble(
        ("● ", "green"),
        _cut(Text(str(status["master"]), "bold"), MASTER),
        f"  up {span(status['uptime'])}   ",
        (rate(look.rate), "bold cyan"),
        f"   {status['occupied']:g} of {status['executors']} executors busy",
    )
    states = [
        Text(f"{count(number)} {state}", STATE_STYLES.get(state, ""))
        for state, number in status["tasks"].items()
        if number
    ]
    second = Text("  tasks: ") + (Text(", ").join(states) if states else Text("none"))
    first.no_wrap, first.overflow = True, "ellipsis"
    return Group(first, second)


def _applications(applications: list[dict[str, Any]], *, narrow: bool) -> RenderableType:
    if not applications:
        return Text("no applications\n", "dim")
    state = () if narrow else ("STATE",)
    columns = ("PROGRESS", "DONE>", "WAIT>", "RUN>", "FAIL>", "RATE>", "LEFT>")
    table = make_table("APP>", "NAME~", *state, *columns)
    table.columns[1].min_width = NAME
    for one in applications:
        family = [one, *one["systems"]]
        failed = sum(each["failed"] for each in family)
        how = Text(one["state"], STATE_STYLES.get(one["state"], ""))
        name = Text(str(one["name"]), "bold")
        if narrow and one["state"] != "running":
            name = Text.assemble(name, " ", how)
        left = "-" if one["eta"] is None else (age if narrow else span)(one["eta"])
        table.add_row(
            str(one["application"]),
            Short(name),
            *(() if narrow else (how,)),
            _bar(one["done"], one["total"], NARROW_BAR if narrow else BAR),
            count(sum(each["finished"] for each in family)),
            count(sum(each["waiting"] for each in family)),
            count(sum(each["assigned"] for each in family)),
            Text(count(failed), "bold red" if failed else "dim"),
            rate(one["rate"]),
            left,
        )
    return table


def _nodes(nodes: list[dict[str, Any]], *, narrow: bool) -> RenderableType:
    if not nodes:
        return Text("no workers: start one with `concurrent worker`\n", "yellow")
    more = () if narrow else ("MEMORY>", "HEARD>")
    # Most workers are called after their host, which then needs no room of its own.
    named = narrow and all(str(one["worker"]).startswith(str(one["host"])) for one in nodes)
    host = () if named else ("HOST~",)
    table = make_table("WORKER~", *host, "STATE", "BUSY>", "DONE>", "RATE>", *more)
    table.columns[0].min_width = NAME
    for one in nodes:
        state = str(one["state"])
        memory = size(one["memory"]) if one["memory"] else "-"
        table.add_row(
            Short(Text(str(one["worker"]), "bold")),
            *(() if named else (Short(Text(str(one["host"]))),)),
            Text(state, STATE_STYLES.get(state, "yellow")),
            f"{count(min(one['tasks'], one['executors']))} of {count(one['executors'])}",
            count(one["finished"]),
            rate(one["rate"]),
            *(() if narrow else (memory, f"{age(one['silent'])} ago")),
        )
    return table


def _bar(done: Any, total: Any, width: int) -> RenderableType:
    if not total:
        return Text("-", "dim")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        ProgressBar(total=total, completed=done, width=width), f"{100 * done / total:.0f}%"
    )
    return grid
