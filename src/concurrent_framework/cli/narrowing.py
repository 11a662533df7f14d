"""The command line with no more than the command that was typed, so that it starts sooner."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def narrowed(app: typer.Typer, words: list[str]) -> typer.Typer:
    """Return a command line with what the first words name; all of it where they name nothing.

    Typer reads the signatures of all commands before it looks at what was typed, which takes longer
    than most commands do.

    Args:
        app: the whole command line, or a group of its commands.
        words: what was typed.

    """
    word = words[0] if words else ""
    commands = [one for one in app.registered_commands if one.name == word]
    groups = [one for one in app.registered_groups if one.name == word]
    if not commands and not groups:
        return app
    less = copy(app)
    less.registered_commands = commands
    less.registered_groups = [copy(one) for one in groups]
    for one in less.registered_groups:
        if one.typer_instance is not None:
            one.typer_instance = narrowed(one.typer_instance, words[1:])
    return less
