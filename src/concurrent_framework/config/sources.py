"""Where settings come from: a TOML file, environment variables, the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from concurrent_framework.config.lines import find_lines
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PREFIX = "CONCURRENT_"


class Setting(Struct, frozen=True, array_like=True):
    """A value somebody set.

    Args:
        section: the table.
        key: the name in it.
        value: as it was written.
        source: where, for people: ``env.toml:12``, a variable's name, ``--set``.
        text: whether it is a string that stands for a value of any type.

    """

    section: str
    key: str
    value: Any
    source: str
    text: bool = False

    @property
    def path(self) -> str:
        """How people name it: ``section.key``."""
        return f"{self.section}.{self.key}"

    @property
    def where(self) -> str:
        """The source and the path, as messages begin with it."""
        if self.source == "--set":
            return f"--set {self.path}"
        return f"{self.source}: {self.path}"


def from_file(file: Path) -> Iterator[Setting]:
    """Read a TOML file; raises UsageError naming file and line if it cannot be read."""
    import tomllib

    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        message = f"{file}: there is no such file"
        raise UsageError(message) from None
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror or error}"
        raise UsageError(message) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"{file}:{line}: this is no UTF-8 text"
        raise UsageError(message) from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{file}{_position(str(error), text)}"
        raise UsageError(message) from None
    lines = find_lines(text)
    for section, table in tables.items():
        if not isinstance(table, dict):
            where = f"{file}:{lines.get((section,), 1)}"
            message = f"{where}: {section!r} is outside of any section; put it below a [section]"
            raise UsageError(message)
        for key, value in table.items():
            line = lines.get((section, key), lines.get((section,), 1))
            yield Setting(section, key, value, f"{file}:{line}")


def _position(problem: str, text: str) -> str:
    """Turn the parser's ``Expected … (at line 3, column 5)`` into ``:3: Expected …``."""
    reason, at, place = problem.rpartition(" (at ")
    if not at:
        return f": {problem}"
    line = place.removeprefix("line ").partition(",")[0]
    if not line.isdecimal():
        line = str(max(text.rstrip("\n").count("\n") + 1, 1))
    return f":{line}: {reason}"


def from_environ(environ: Mapping[str, str]) -> Iterator[Setting]:
    """Read variables named ``CONCURRENT_SECTION__KEY``; others are none of ours."""
    for name in sorted(environ):
        section, separator, key = name.removeprefix(PREFIX).partition("__")
        if name.startswith(PREFIX) and separator and section and key:
            yield Setting(section.lower(), key.lower(), environ[name], name, text=True)


def from_settings(settings: Sequence[str]) -> Iterator[Setting]:
    """Read ``section.key=value``, as given with ``--set``; raises UsageError if it is none."""
    for setting in settings:
        path, equals, value = setting.partition("=")
        section, dot, key = path.strip().partition(".")
        if not (equals and dot and section and key):
            message = f"--set {setting}: expected section.key=value, as in --set worker.executors=4"
            raise UsageError(message)
        yield Setting(section, key, value.strip(), "--set", text=True)
