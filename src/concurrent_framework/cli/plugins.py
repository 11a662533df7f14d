"""The command ``plugins``: what an environment has, and switching it on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from concurrent_framework.cli.options import EnvironmentPath, Json
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from concurrent_framework.components import ComponentInfo

STYLES = {"enabled": "green", "disabled": "yellow", "failed": "bold red"}


def plugins(
    path: EnvironmentPath,
    action: Annotated[
        Literal["enable", "disable"] | None,
        typer.Argument(metavar="enable|disable", help="Switch one on or off.", show_default=False),
    ] = None,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A component, or a whole plug-in, as listed.",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """List components with state and origin, or switch one on or off from the next launch on."""
    if action is not None and not name:
        message = f"{action} what? `concurrent plugins {path}` lists the names"
        raise UsageError(message)
    from concurrent_framework.cli.opening import opened_to_change, warn

    if action is None:
        show(opened_to_change(path).components.describe(), as_json=as_json)
        return
    from concurrent_framework.environment import switch

    environment = opened_to_change(path, warn)
    switch(environment, name, on=action == "enable")
    print(f"{name} is {action}d from the next launch of {environment.layout.root} on")


def show(rows: list[ComponentInfo], *, as_json: bool) -> None:
    """Print components, those that are not built in first."""
    rows = sorted(rows, key=lambda row: row.origin == "built-in")
    if as_json:
        import json

        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    from rich.text import Text

    from concurrent_framework.cli.tables import make_table, out

    table = make_table("NAME", "STATE", "IMPLEMENTS~", "ORIGIN~", "REMARK~")
    for row in rows:
        table.add_row(
            Text(row.name, "bold"),
            Text(row.state, STYLES[row.state]),
            ", ".join(row.interfaces) or "-",
            row.origin,
            row.reason or "-",
        )
    out().print(table)
