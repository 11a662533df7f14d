"""The page of the documentation that lists every option, and the explanation of a single one."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from concurrent_framework.config.nearest import nearest
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from concurrent_framework.config.config import Described

_INTRODUCTION = (
    "Each option can be set in `env.toml`, by a variable `CONCURRENT_SECTION__KEY`, and with "
    "`--set section.key=value`; the later of these wins."
)


def reference(rows: Iterable[Described]) -> str:
    """Return a Markdown page with a table for each section.

    Args:
        rows: all options, sorted by section, as `Config.describe` yields them.

    """
    parts = ["# Configuration reference", _INTRODUCTION]
    for section, options in groupby(rows, key=lambda row: row.section):
        parts.append(f"## [{section}]")
        table = ["| key | type | default | what it does |", "|---|---|---|---|"]
        table += [
            f"| `{row.key}` | {_cell(row.expected)} | {_code(row.default)} | {_cell(row.doc)} |"
            for row in options
        ]
        parts.append("\n".join(table))
    return "\n\n".join(parts) + "\n"


def explain(rows: Iterable[Described], path: str) -> str:
    """Return everything about one option, a line for each fact.

    Args:
        rows: all options.
        path: ``section.key``.

    Raises:
        UsageError: if there is no such option; it names the nearest one.

    """
    by_path = {f"{row.section}.{row.key}": row for row in rows}
    if (row := by_path.get(path)) is None:
        near = nearest(path, by_path)
        hint = f"; did you mean {near}?" if near else ""
        message = f"there is no option {path}{hint}"
        raise UsageError(message)
    return "\n".join(_facts(path, row))


def _facts(path: str, row: Described) -> Iterator[str]:
    yield f"{path} = {shown(row.value)}"
    yield f"  from      {row.source}"
    yield f"  type      {row.expected}"
    yield f"  default   {shown(row.default)}"
    yield f"  variable  CONCURRENT_{row.section.upper()}__{row.key.upper()}"
    if row.doc:
        yield f"  {row.doc}"


def shown(value: object) -> str:
    """Write a value as it would stand in ``env.toml``; nothing set is ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(shown(one) for one in value)}]"
    return str(value)


def _code(value: object) -> str:
    return f"`{_cell(shown(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
