"""Commands that use a master's API: ``dashboard`` and ``stats``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from concurrent_framework.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

Where = Annotated[
    Path | None,
    typer.Argument(
        metavar="PATH",
        help="An environment that runs a master.",
        show_default="the master on this machine",
    ),
]


def dashboard(
    path: Where = None,
    show: Annotated[bool, typer.Option("--print", "-p", help="Only print the link.")] = False,
) -> None:
    """Open a master's dashboard in the browser; where there is none, print its link."""
    from concurrent_framework.api.access import access_to

    access = access_to(path)
    print(access.link)
    if not show and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(access.link)


def stats(
    path: Where = None,
    prefix: Annotated[
        str,
        typer.Option("--prefix", metavar="TEXT", help="Only names that begin so, as `master.`."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Show what a master measures of its own work."""
    from concurrent_framework.api.client import Client

    found = Client.of(path).statistics.get(prefix=prefix)
    if as_json:
        import json

        print(json.dumps(found, indent=2))
    else:
        _show(found)


def _show(found: Mapping[str, Mapping[str, Any]]) -> None:
    from concurrent_framework.cli.amounts import count, rate
    from concurrent_framework.cli.tables import make_table, out

    if not found:
        print("no statistics: the master runs with stats.enabled=false, or none is called so")
        return
    table = make_table("NAME", "COUNT>", "RATE>", "MEAN>", "P50>", "P99>", "MAX>")
    for name, one in found.items():
        if one["kind"] == "gauge":
            table.add_row(name, f"{one['value']:,g}", *[""] * 5)
        elif one["kind"] == "counter":
            table.add_row(name, count(one["count"]), rate(one["rate"]), *[""] * 4)
        else:
            shown = [_amount(name, one[key]) for key in ("mean", "p50", "p99", "max")]
            table.add_row(name, count(one["count"]), rate(one["rate"]), *shown)
    out().print(table)


def _amount(name: str, value: float) -> str:
    """Write a value in the unit that the name ends with."""
    from concurrent_framework.cli.amounts import size, span

    if name.endswith("_seconds"):
        return f"{value * 1e6:.0f} us" if value < 0.001 else span(value)
    return size(value) if name.endswith("_bytes") else f"{value:,.1f}"
