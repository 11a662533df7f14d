"""The command ``config``: every option with its value, or what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from concurrent_framework.cli.options import Json, Settings
from concurrent_framework.model.errors import UsageError


def config(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="An environment.",
            show_default="what holds without an environment",
        ),
    ] = None,
    explain: Annotated[
        str,
        typer.Option(
            "--explain",
            metavar="SECTION.KEY",
            help="Say everything about one option.",
            show_default=False,
        ),
    ] = "",
    reference: Annotated[
        bool,
        typer.Option("--reference", help="Print the page of the documentation."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether everything is right.")
    ] = False,
    settings: Settings = None,
    as_json: Json = False,
) -> int:
    """Show every option with its value, where that comes from, its type and what it does."""
    if bool(explain) + reference + check > 1:
        message = "--explain, --reference and --check are three questions: ask one at a time"
        raise UsageError(message)
    from concurrent_framework.cli import options_shown

    if check:
        return options_shown.check(path, settings or (), as_json=as_json)
    rows = options_shown.options_of(path, settings or ())
    if reference:
        options_shown.show_reference(rows)
    elif explain:
        options_shown.show_one(rows, explain, as_json=as_json)
    else:
        options_shown.show_all(rows, as_json=as_json)
    return 0
