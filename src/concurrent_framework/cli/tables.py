"""How the answers of a master look on a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from concurrent_framework.cli.amounts import age, count, size, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATE_STYLES = {
    "running": "green",
    "waiting": "yellow",
    "assigned": "cyan",
    "finishing": "cyan",
    "finished": "green",
    "failed": "bold red",
    "cancelled": "magenta",
    "detached": "blue",
    "away": "yellow",
    "lost": "bold red",
    "ended": "dim",
    "delayed": "yellow",
    "paused": "magenta",
    "active": "green",
    "draining": "yellow",
    "drained": "magenta",
    "quarantined": "bold red",
    "on trial": "yellow",
}
BAR_WIDTH = 10
WIDE = 120
"""Columns of what goes into a file or pipe, unless COLUMNS says otherwise."""


def out(*, soft_wrap: bool = False) -> Console:
    """Return what prints to stdout."""
    wide = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDE
    return Console(highlight=False, soft_wrap=soft_wrap, width=wide)


def show_environment(runner: Mapping[str, Any]) -> None:
    """Print in one line which environment runs what, and since when."""
    since = time.time() - runner["since"]
    facts = f"  {runner['app']}, process {runner['pid']}, {runner['doing']} for {span(since)}"
    line = Text.assemble((runner["name"], "bold"), facts, (f"  {runner['path']}", "dim"))
    out().print(line, soft_wrap=True)


def show_status(answer: Mapping[str, Any]) -> None:
    """Print the master in three lines, and its workers as a table."""
    console = out()
    console.print(
        Text.assemble(
            ("● ", "green"),
            (str(answer["master"]), "bold"),
            (f"  up {span(answer['uptime'])}, version {answer['version']}", "dim"),
        )
    )
    console.print(
        f"  {_plural(answer['workers'], 'worker')}, "
        f"{answer['occupied']:g} of {_plural(answer['executors'], 'executor')} busy, "
        f"{_plural(answer['applications'], 'application')}, pattern {answer['pattern']}"
    )
    if answer["trouble"]:
        console.print(Text(f"  takes in no work: {answer['trouble']}", "bold red"))
    if answer["recovering"]:
        names = ", ".join(answer["recovering"])
        console.print(Text(f"  recovering: waits for {names} before it goes on", "yellow"))
    parts = [_state(state, f"{count(n)} {state}") for state, n in answer["tasks"].items() if n]
    console.print(Text("  tasks: ") + (Text(", ").join(parts) if parts else Text("none yet")))
    if answer["nodes"]:
        _show_workers(console, answer["nodes"])
    else:
        console.print(Text("  no workers yet: start one with `concurrent worker`", "yellow"))


def show_applications(answer: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of applications, and below each its task systems."""
    console = out()
    if not answer:
        console.print("no applications: `concurrent run TARGET --join LINK` starts one here")
        return
    all_of_them = [each for one in answer for each in (one, *one["systems"])]
    cancelled = any(each["cancelled"] for each in all_of_them)
    figures = ("WAIT>", "RUN>", "DONE>", "FAIL>", *(("CANCELLED>",) if cancelled else ()))
    table = make_table("ID>", "NAME~", "STATE", "PROGRESS", *figures, "AGE>")
    for one in answer:
        table.add_row(*_application_cells(one, str(one["application"]), "", cancelled=cancelled))
        for system in one["systems"]:
            table.add_row(*_application_cells(system, "", "└ ", cancelled=cancelled))
    console.print(table)


def show_tasks(answer: Mapping[str, Any]) -> None:
    """Print a table of tasks."""
    console = out()
    tasks = answer["tasks"]
    if not tasks:
        console.print("no unfinished tasks")
        return
    table = make_table("TASK>", "NAME~", "APPLICATION~", "STATE", "WORKER~", "TRY>", "FOR>")
    for one in tasks:
        table.add_row(
            one["task"],
            Text(one["name"], "bold"),
            one["application_name"],
            _state(one["state"]),
            one["worker"] or _nothing(),
            str(one["attempt"]) if one["attempt"] else _nothing(),
            age(one["seconds"]),
        )
    console.print(table)
    if answer["total"] > len(tasks):
        rest = count(answer["total"] - len(tasks))
        console.print(Text(f"  and {rest} more; see them with --limit", "dim"))


def _application_cells(
    one: Mapping[str, Any], number: str, indent: str, *, cancelled: bool
) -> list[Any]:
    failed = one["failed"]
    return [
        number,
        Text(f"{indent}{one['name']}", "bold" if number else ""),
        _state("paused" if one["paused"] and one["state"] == "running" else one["state"]),
        _progress(one),
        count(one["waiting"]),
        count(one["assigned"]),
        count(one["finished"]),
        Text(count(failed), "bold red" if failed else "dim"),
        *([Text(count(one["cancelled"]), STATE_STYLES["cancelled"])] if cancelled else []),
        age(one["age"]),
    ]


def _show_workers(console: Console, workers: Sequence[Mapping[str, Any]]) -> None:
    labels = ("LABELS~",) if any(one["labels"] for one in workers) else ()
    figures = ("EXECUTORS>", "TASKS>", "DONE>", "MEMORY>")
    table = make_table("WORKER~", "HOST~", "STATE", *figures, *labels, "HEARD>")
    for one in workers:
        table.add_row(
            Text(one["worker"], "bold"),
            one["host"],
            _state(one["state"]),
            count(one["executors"]),
            count(one["tasks"]),
            count(one["finished"]),
            size(one["memory"]) if one["memory"] else _nothing(),
            *([", ".join(one["labels"]) or _nothing()] if labels else []),
            f"{age(one['silent'])} ago",
        )
    console.print(table)
    for one in workers:
        if one["reason"]:
            console.print(Text(f"  {one['worker']}: {one['reason']}", "yellow"))


def make_table(*columns: str) -> Table:
    """Make a table. A column that ends with ``>`` is aligned right, one with ``~`` may wrap."""
    table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 1))
    for column in columns:
        table.add_column(
            column.rstrip(">~"),
            justify="right" if column.endswith(">") else "left",
            no_wrap=not column.endswith("~"),
            overflow="fold" if column.endswith("~") else "ellipsis",  # no figure that looks whole
        )
    return table


def _progress(one: Mapping[str, Any]) -> Table | Text:
    done, total = _done_of(one)
    if not total:
        return _nothing()
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        ProgressBar(total=total, completed=done, width=BAR_WIDTH), f"{100 * done / total:.0f}%"
    )
    return grid


def _done_of(one: Mapping[str, Any]) -> tuple[float, float]:
    """Return what the application says of its progress, else what its tasks say."""
    note = one["progress"]
    if note:
        return note["done"], note["total"]
    done = one["finished"] + one["failed"] + one["cancelled"]
    return done, one["submitted"]


def _state(state: str, text: str = "") -> Text:
    return Text(text or state, STATE_STYLES.get(state, ""))


def _nothing() -> Text:
    return Text("-", "dim")


def _plural(number: float, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
