"""Commands that installed plug-ins add. They are looked for only when no other is meant.

A plug-in has to be imported to be known, which `concurrent run` shall not wait for.
"""

from __future__ import annotations

import os
from copy import copy
from typing import TYPE_CHECKING

from concurrent_framework.cli.loading import users_errors
from concurrent_framework.cli.opening import warn
from concurrent_framework.components import ComponentManager, ICommand
from concurrent_framework.config import Config
from concurrent_framework.launch.builtin import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

PANEL = "Of plug-ins"


def installed_components() -> ComponentManager:
    """Return what is built in and installed; plug-ins that fail are told in a line."""
    components = ComponentManager(Config.load(None, os.environ), BUILTIN, report=warn)
    components.discover(commands=True)
    return components


def run_plugged(components: ComponentManager, name: str, arguments: Sequence[str]) -> int:
    """Run a plug-in's command and return its exit code; what it raises is shown as its own."""
    with users_errors(name, may_exit=True):
        return components.get(ICommand, name).run(arguments)


def with_plugged(app: typer.Typer, components: ComponentManager) -> typer.Typer:
    """Return a command line that lists the commands of plug-ins, too."""
    from typer.models import CommandInfo

    extended = copy(app)
    extended.registered_commands = [
        *app.registered_commands,
        *(
            CommandInfo(name, callback=_nothing, help=text, rich_help_panel=PANEL)
            for name, text in summaries(components).items()
        ),
    ]
    return extended


def summaries(components: ComponentManager) -> dict[str, str]:
    """Return the first line of the docstring of each plug-in's command."""
    return {
        name: (components.find(ICommand, name).__doc__ or "").strip().partition("\n")[0]
        for name in components.names(ICommand)
    }


def _nothing() -> None:
    """Stand in for a command that is listed here and run by `run_plugged`."""
