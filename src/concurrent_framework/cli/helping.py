"""How `--help` shows options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from collections.abc import Iterable


class Command(TyperCommand):
    """A command whose switches are shown without a type: they take no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all parameters, ``--help`` included."""
        found = super().get_params(ctx)
        without_types(found)
        return found


class Group(TyperGroup):
    """A group of commands, shown likewise."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all parameters, ``--help`` included."""
        found = super().get_params(ctx)
        without_types(found)
        return found


def without_types(parameters: Iterable[object]) -> None:
    """Take the type away from options that take no value."""
    for one in parameters:
        if isinstance(one, TyperOption) and one.is_bool_flag:
            one.metavar = ""
