"""Where in a TOML file a key is set. The standard library's parser does not tell."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
_BARE_OR_QUOTED = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_ASSIGNMENT = re.compile(rf"\s*({_BARE_OR_QUOTED}(?:\s*\.\s*{_BARE_OR_QUOTED})*)\s*=")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_MULTILINE = ('"""', "'''")


def find_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line, counting from 1, of each table and key of a valid TOML text.

    A key is named by its path, as in ``("master", "lease")``. Keys inside inline tables and arrays
    of tables are left out: their line is that of what holds them.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    inside = ""
    depth = 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if inside:
            inside = "" if inside in line else inside
            continue
        if depth > 0:
            depth += _balance(line)
            continue
        if header := _HEADER.fullmatch(line):
            table = _path(header[1])
            lines.setdefault(table, number)
            lines.setdefault(table[:1], number)
        elif assignment := _ASSIGNMENT.match(line):
            path = (*table, *_path(assignment[1]))
            lines.setdefault(path, number)
            lines.setdefault(path[:1], number)
            value = line[assignment.end() :]
            inside = _opened(value)
            depth = 0 if inside else _balance(value)
    return lines


def _path(dotted: str) -> tuple[str, ...]:
    return tuple("".join(parts) for parts in _PART.findall(dotted))


def _opened(value: str) -> str:
    """Return the quotes of a multi-line text that this value starts and does not end."""
    for quotes in _MULTILINE:
        if value.lstrip().startswith(quotes) and value.count(quotes) == 1:
            return quotes
    return ""


def _balance(text: str) -> int:
    """Return how many more brackets are opened than closed, outside of quotes and comments."""
    bare = re.sub(r""""(?:\\.|[^"\\])*"|'[^']*'|#.*""", "", text)
    return bare.count("[") - bare.count("]")
