"""From files to what each package amounts to: the two halves of a MapReduce."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.samples.codecount.metrics import Counts, count

if TYPE_CHECKING:
    from collections.abc import Iterator

SKIPPED = frozenset({"site-packages", "__pycache__"})
TOP_LEVEL = "(top level)"


class Source(NamedTuple):
    """A file to count: the package it belongs to, its path for people, and where it is."""

    package: str
    name: str
    path: str


class Counted(NamedTuple):
    """A file that was counted."""

    name: str
    counts: Counts


class Failed(NamedTuple):
    """A file that could not be counted, and why."""

    name: str
    reason: str


class Package(NamedTuple):
    """The files of one package."""

    counted: list[Counted]
    failed: list[Failed]

    def total(self, field: str) -> int:
        """Add up one of the fields of `Counts`."""
        return sum(getattr(one.counts, field) for one in self.counted)


def sources(root: Path) -> Iterator[Source]:
    """Find the Python files below a directory, but for installed packages and hidden directories.

    A file belongs to the directory of `root` that it is in.
    """
    for path in sorted(root.rglob("*.py")):
        folders = path.relative_to(root).parts[:-1]
        if any(folder in SKIPPED or folder.startswith(".") for folder in folders):
            continue
        package = folders[0] if folders else TOP_LEVEL
        yield Source(package, str(path.relative_to(root)), str(path))


def survey(source: Source) -> list[tuple[str, Counted | Failed]]:
    """Count one file, on a worker; what cannot be read or parsed is reported, not fatal."""
    result: Counted | Failed
    try:
        result = Counted(source.name, count(Path(source.path).read_bytes()))
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.lineno else ""
        result = Failed(source.name, f"{place}{error.msg}")
    except OSError as error:
        result = Failed(source.name, error.strerror or str(error))
    except (ValueError, RecursionError, MemoryError) as error:
        result = Failed(source.name, str(error) or type(error).__name__)
    return [(source.package, result)]


def gather(package: str, results: list[Counted | Failed]) -> Package:  # noqa: ARG001 (its place)
    """Bring the files of one package together, on a worker."""
    results = sorted(results, key=lambda result: result.name)
    return Package(
        counted=[result for result in results if isinstance(result, Counted)],
        failed=[result for result in results if isinstance(result, Failed)],
    )
