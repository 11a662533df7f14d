"""How a look at the cluster is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from concurrent_framework.cli.amounts import age, count, rate, size, span
from concurrent_framework.cli.tables import STATE_STYLES, make_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from concurrent_framework.cli.watching import Look

BAR = 12


def picture(look: Look, hint: str = "") -> RenderableType:
    """Draw the cluster: the master in two lines, applications and workers as tables."""
    drawn = [_head(look), _applications(look), _nodes(look)]
    return Group(*drawn, Text(hint, "dim")) if hint else Group(*drawn)


def _head(look: Look) -> RenderableType:
    status = look.status
    first = Text.assemble(
        ("● ", "green"),
        (str(status["master"]), "bold"),
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
    return Group(first, second)


def _applications(look: Look) -> RenderableType:
    if not look.applications:
        return Text("no applications\n", "dim")
    table = make_table(
        "APP>", "NAME~", "STATE", "PROGRESS", "DONE>", "WAIT>", "RUN>", "FAIL>", "RATE>", "LEFT>"
    )
    for one in look.applications:
        family = [one, *one["systems"]]
        failed = sum(each["failed"] + each["cancelled"] for each in family)
        table.add_row(
            str(one["application"]),
            Text(str(one["name"]), "bold"),
            Text(one["state"], STATE_STYLES.get(one["state"], "")),
            _bar(one["done"], one["total"]),
            count(sum(each["finished"] for each in family)),
            count(sum(each["waiting"] for each in family)),
            count(sum(each["assigned"] for each in family)),
            Text(count(failed), "bold red" if failed else "dim"),
            rate(one["rate"]),
            "-" if one["eta"] is None else span(one["eta"]),
        )
    return table


def _nodes(look: Look) -> RenderableType:
    if not look.nodes:
        return Text("no workers: start one with `concurrent worker`\n", "yellow")
    table = make_table(
        "WORKER~", "HOST~", "EXECUTORS>", "TASKS>", "DONE>", "RATE>", "MEMORY>", "HEARD>"
    )
    for one in look.nodes:
        table.add_row(
            Text(str(one["worker"]), "bold"),
            str(one["host"]),
            count(one["executors"]),
            count(one["tasks"]),
            count(one["finished"]),
            rate(one["rate"]),
            size(one["memory"]) if one["memory"] else "-",
            f"{age(one['silent'])} ago",
        )
    return table


def _bar(done: Any, total: Any) -> RenderableType:
    if not total:
        return Text("-", "dim")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(ProgressBar(total=total, completed=done, width=BAR), f"{100 * done / total:.0f}%")
    return grid
