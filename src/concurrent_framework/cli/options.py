"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Join = Annotated[
    str,
    typer.Option(
        "--join",
        "-j",
        metavar="LINK",
        help="The master to ask: its link, or the path of an environment that runs.",
        show_default="the one on this machine",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Set an option of the configuration; may be repeated.",
        show_default=False,
    ),
]
Name = Annotated[
    str,
    typer.Option(
        "--name", metavar="NAME", help="What people call it.", show_default="the machine's name"
    ),
]
WorkerName = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="NAME",
        help="What people call it.",
        show_default="the machine's name and its process",
    ),
]
EnvironmentPath = Annotated[
    Path,
    typer.Argument(metavar="PATH", help="The environment's directory.", show_default=False),
]
