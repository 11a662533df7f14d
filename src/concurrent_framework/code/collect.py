"""Gathers the files of the user's own modules, with those of the modules that they import."""

from __future__ import annotations

import os
import sys
from importlib.machinery import all_suffixes
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.code.imports import imports, possible_imports
from concurrent_framework.code.locate import LocalModule, find_local
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BUNDLE_BYTES = 32 * 1024 * 1024
MAX_BUNDLE_FILES = 20_000
MAX_DATA_FILE_BYTES = 4 * 1024 * 1024
"""A larger file in a package that is no code stays behind."""

_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_CODE = tuple(all_suffixes())


class _File(NamedTuple):
    name: str
    path: str
    size: int


class Collection:
    """Files by the name they have in a bundle; each is read once, and stays as it was then."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.origins: dict[str, str] = {}
        self._seen: set[str] = set()
        self._elsewhere: set[str] = set()
        """Names of modules that are not the user's own, or of none."""
        self._size = 0

    def require(self, names: Iterable[str]) -> None:
        """Add the user's own among these top-level modules, and what they import.

        Raises:
            UsageError: if they are too large to be sent, or cannot be read.

        """
        waiting = sorted(names)
        while waiting:
            waiting.extend(self._add(waiting.pop()))

    def offer(self, names: Iterable[str]) -> None:
        """Add these too as far as that is possible: modules that may be needed, or may not."""
        waiting = sorted(names)
        while waiting:
            name = waiting.pop()
            try:
                waiting.extend(self._add(name))
            except UsageError:
                continue

    def local_imports(self, sources: Iterable[bytes]) -> list[str]:
        """Return the user's own modules that sources import and that are not here yet, sorted."""
        known = self._seen | self._elsewhere
        guesses = [(source, possible_imports(source) - known) for source in sources]
        mentioned = frozenset().union(*(guess for _, guess in guesses))
        local = {name for name in mentioned if find_local(name) is not None}
        self._elsewhere |= mentioned - local
        found: set[str] = set()
        for source, guess in guesses:
            if guess & local - found:
                found |= imports(source) & local
        return sorted(found)

    def _add(self, name: str) -> list[str]:
        """Add one module and return those that it imports."""
        module = None if name in self._seen else find_local(name)
        if module is None:
            return []
        files = _files_of(module, MAX_BUNDLE_BYTES - self._size)
        contents = {file.name: _read(file.path) for file in files}
        self._seen.add(name)
        self._size += sum(map(len, contents.values()))
        self.files.update(contents)
        self.origins[module.archive_name if module.file else name] = (
            module.file or module.folders[0]
        )
        sources = (data for file, data in contents.items() if file.endswith(".py"))
        return self.local_imports(sources)


def main_source() -> bytes:
    """Return the source of the script that runs as ``__main__``, empty if there is none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file or not file.endswith((".py", ".pyw")) or not os.path.isfile(file):
        return b""
    return _read(file)


def _files_of(module: LocalModule, room: int) -> list[_File]:
    if module.file:
        files = [_File(module.archive_name, module.file, os.path.getsize(module.file))]
    else:
        files = []
        for folder in module.folders:
            for file in _package_files(folder, module.name):
                files.append(file)
                if len(files) > MAX_BUNDLE_FILES:
                    break
    if len(files) > MAX_BUNDLE_FILES or sum(file.size for file in files) > room:
        raise UsageError(_too_large(module, files, room))
    return files


def _package_files(top: str, name: str) -> Iterator[_File]:
    regular: set[str] = set()
    for folder, subfolders, names in os.walk(top):
        if "__init__.py" in names or os.path.dirname(folder) in regular:
            regular.add(folder)
        subfolders[:] = sorted(
            one
            for one in subfolders
            if one not in _LEFT_OUT
            and not one.startswith(".")
            and not os.path.exists(os.path.join(folder, one, "pyvenv.cfg"))
        )
        for one in sorted(names):
            path = os.path.join(folder, one)
            try:
                size = os.path.getsize(path) if os.path.isfile(path) else -1
            except OSError:
                continue
            is_data = folder in regular and not one.startswith(".") and size <= MAX_DATA_FILE_BYTES
            if size >= 0 and (one.endswith(_CODE) or is_data):
                inside = os.path.relpath(path, top).replace(os.sep, "/")
                yield _File(f"{name}/{inside}", path, size)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        message = f"{path} belongs to the application's code but cannot be read: {error.strerror}"
        raise UsageError(message) from error


def _too_large(module: LocalModule, files: list[_File], room: int) -> str:
    largest = sorted(files, key=lambda file: file.size, reverse=True)[:3]
    listed = ", ".join(f"{file.name} ({file.size / 2**20:.1f} MiB)" for file in largest)
    size = sum(file.size for file in files) / 2**20
    return (
        f"the code of {module.name!r} is too large to be sent to workers: {len(files)} files or "
        f"more with {size:.1f} MiB, where {room / 2**20:.1f} MiB of {MAX_BUNDLE_BYTES // 2**20} "
        f"are left; largest: {listed}. Install the package on the workers (then nothing is sent), "
        "or move its data out of it"
    )
