from __future__ import annotations

import pytest

from concurrent_framework.cli.app import app, command_names
from concurrent_framework.cli.narrowing import narrowed


def names(words: list[str]) -> tuple[list[str | None], list[str | None]]:
    """Return the commands that are left, and those of the groups that are left."""
    less = narrowed(app, words)
    inner = [one.typer_instance for one in less.registered_groups]
    return (
        [one.name for one in less.registered_commands],
        [one.name for group in inner if group is not None for one in group.registered_commands],
    )


@pytest.mark.parametrize("name", sorted(command_names()))
def test_no_more_is_prepared_than_what_is_typed(name: str) -> None:
    first, *rest = name.split()
    commands, inner = names([*name.split(), "anything"])
    if rest:
        assert (commands, inner) == ([], rest)
    elif commands:
        assert (commands, inner) == ([first], [])
    else:
        assert {f"{first} {one}" for one in inner} <= command_names()
        assert len(inner) == len([one for one in command_names() if one.startswith(f"{first} ")])


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["nothing", "env"]])
def test_what_names_no_command_has_them_all(words: list[str]) -> None:
    assert narrowed(app, words) is app
