"""Commands that save environments: ``concurrent env backup``, ``restore``, ``upgrade``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from concurrent_framework.cli.options import EnvironmentPath


def backup(
    path: EnvironmentPath,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to.", show_default="a new one in backups/"),
    ] = None,
) -> None:
    """Save the environment into one file, also while it is running."""
    from concurrent_framework import environment as environments
    from concurrent_framework.cli.opening import opened_as_it_is

    written = environments.backup(opened_as_it_is(path), file)
    print(f"saved in {written} (it holds the environment's keys: keep it private)")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", show_default=False)],
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="Where to: a new directory, or an empty one.", show_default=False
        ),
    ],
) -> None:
    """Make an environment from a backup, whole or not at all."""
    from concurrent_framework import environment as environments
    from concurrent_framework.cli.opening import opened_as_it_is

    environment = environments.restore(file, path, opener=opened_as_it_is)
    print(f"restored {environment.title} in {environment.layout.root}")


def upgrade(path: EnvironmentPath) -> None:
    """Bring an environment of an older version up to date, after a backup."""
    from concurrent_framework import environment as environments
    from concurrent_framework.cli.opening import opened_as_it_is
    from concurrent_framework.environment.layout import VERSION

    environment = opened_as_it_is(path)
    root = environment.layout.root
    saved = environments.upgrade(environment)
    if saved is None:
        print(f"{root} is of version {VERSION} already: there is nothing to do")
    else:
        print(f"{root} is of version {VERSION} now; what it was before is in {saved}")
