"""Changes one value in a TOML text and leaves all else, comments included, as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from concurrent_framework.config.lines import find_lines
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = str | int | float | bool

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SIMPLE = re.compile(r"""([^=]*=\s*)(?:"[^"\\]*"|'[^']*'|[A-Za-z0-9_+.:-]+)(\s*(?:#.*)?)""")


def set_value(text: str, section: str, key: str, value: Value) -> str:
    r"""Return a TOML text in which ``section.key`` has this value.

    Raises:
        UsageError: if the text is no TOML, or has the section in a form that only a person should
            change, such as an inline table.

    Example:
        >>> print(set_value("[master]\nlease = 5  # seconds", "master", "lease", 8), end="")
        [master]
        lease = 8  # seconds

    """
    import tomllib

    try:
        wanted = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"this is no valid TOML: {error}"
        raise UsageError(message) from None
    table = wanted.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = value
        for candidate in _candidates(text, section, key, toml_value(value)):
            if _parsed(candidate) == wanted:
                return candidate
    message = f"cannot change {section}.{key} without changing more; set it by hand"
    raise UsageError(message)


def _parsed(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _candidates(text: str, section: str, key: str, value: str) -> Iterator[str]:
    """Yield texts that may be the wanted one; `set_value` takes the first that is."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    known = find_lines(text)
    name = key if _BARE.fullmatch(key) else toml_value(key)
    if (number := known.get((section, key))) is not None:
        before, old = lines[: number - 1], lines[number - 1]
        if simple := _SIMPLE.fullmatch(old):
            yield _joined([*before, f"{simple[1]}{value}{simple[2]}", *lines[number:]])
        for end in range(number, len(lines) + 1):
            left = old.partition("=")[0].rstrip()
            yield _joined([*before, f"{left} = {value}", *lines[end:]])
        return
    if (number := known.get((section,))) is not None:
        for line in (f"{name} = {value}", f"{section}.{name} = {value}"):
            yield _joined([*lines[:number], line, *lines[number:]])
    gap = [""] if lines and lines[-1].strip() else []
    yield _joined([*lines, *gap, f"[{section}]", f"{name} = {value}"])


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def toml_value(value: Value) -> str:
    """Write a value as TOML does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
