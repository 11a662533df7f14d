"""How options look on a terminal and in JSON, and what `concurrent config` finds wrong."""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrent_framework.cli.exits import OK, complain
from concurrent_framework.config import Config, Described
from concurrent_framework.config.reference import explain, reference, shown
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def options_of(path: Path | None, settings: Sequence[str]) -> list[Described]:
    """Return every option of an environment, or of what is built in and installed.

    Raises:
        UsageError: something is set wrongly.

    """
    if path is not None:
        from concurrent_framework.cli.opening import opened

        return opened(path, settings).describe()
    from concurrent_framework.environment import Environment
    from concurrent_framework.launch.components import components_for

    config = Config.load(None, os.environ, settings)
    return components_for(config, Environment).describe_options()


def show_all(rows: Sequence[Described], *, as_json: bool) -> None:
    """Print all options, section by section."""
    if as_json:
        _print_json([_as_dict(row) for row in rows])
        return
    from rich.padding import Padding
    from rich.text import Text

    from concurrent_framework.cli.tables import out

    console = out()
    for section, options in groupby(rows, key=lambda row: row.section):
        console.print(Text(f"[{section}]", "bold cyan"))
        for row in options:
            is_set = row.source != "default"
            line = Text.assemble((row.key, "bold"), " = ", (shown(row.value), "green"))
            console.print(line, soft_wrap=True)
            origin = f"from {row.source}" if is_set else "the default"
            facts = Text.assemble("    ", (origin, "yellow" if is_set else "dim"), ("; ", "dim"))
            facts.append(f"expected {row.expected}", "dim")
            console.print(facts, soft_wrap=True)
            if row.doc:
                console.print(Padding(Text(row.doc), (0, 0, 0, 4)))
        console.print()


def show_one(rows: Sequence[Described], path: str, *, as_json: bool) -> None:
    """Print all about one option; raises UsageError if there is no such one."""
    text = explain(rows, path)
    if not as_json:
        print(text)
        return
    (row,) = [row for row in rows if f"{row.section}.{row.key}" == path]
    _print_json(_as_dict(row))


def show_reference(rows: Sequence[Described]) -> None:
    """Print the page of the documentation; it says nothing of this environment's values."""
    print(reference(rows), end="")


def check(path: Path | None, settings: Sequence[str], *, as_json: bool) -> int:
    """Say what is wrong with a configuration, a line for each; return the exit code."""
    problems: list[str] = []
    code = OK
    try:
        _check(path, settings)
    except UsageError as error:
        problems, code = str(error).splitlines(), error.exit_code
    if as_json:
        _print_json({"ok": not problems, "problems": problems})
        return code
    for problem in problems:
        complain(problem)
    if not problems:
        print("the configuration is in order")
    return code


def _check(path: Path | None, settings: Sequence[str]) -> None:
    if path is None:
        options_of(path, settings)
        return
    from concurrent_framework.cli.opening import opened
    from concurrent_framework.environment.monitoring import demand_joinable
    from concurrent_framework.environment.settings import demand_application

    environment = opened(path, settings)
    environment.describe()
    if environment.application:
        demand_application(environment, environment.application)
    demand_joinable(environment.join, environment.layout.root)


def _as_dict(row: Described) -> dict[str, Any]:
    found = row._asdict()
    found["type"] = found.pop("expected")
    return found


def _print_json(answer: object) -> None:
    import json

    print(json.dumps(answer, indent=2, default=str))
