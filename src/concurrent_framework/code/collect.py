"""Gathers the files of the user's own modules, with those of the modules that they import."""

from __future__ import annotations

import os
import sys
from importlib.machinery import all_suffixes
from typing import TYPE_CHECKING

from concurrent_framework.code.imports import imports, possible_imports
from concurrent_framework.code.locate import LocalModule, find_local
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BUNDLE_BYTES = 32 * 1024 * 1024
MAX_DATA_FILE_BYTES = 4 * 1024 * 1024
"""A larger file in a package that is no code stays behind."""

_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_CODE = tuple(all_suffixes())


class Collection:
    """Files by the name they have in a bundle; each is read once, and stays as it was then."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.origins: dict[str, str] = {}
        self._tops: dict[str, bool] = {}
        self._size = 0

    def require(self, names: Iterable[str]) -> None:
        """Add the user's own among these top-level modules, and what they import.

        Raises:
            UsageError: if they are too large to be sent.

        """
        for module, files in self._closure(names):
            size = sum(map(len, files.values()))
            if self._size + size > MAX_BUNDLE_BYTES:
                raise UsageError(_too_large(module, files, self._size))
            self._take(module, files, size)

    def offer(self, names: Iterable[str]) -> None:
        """Add these too as far as there is room: modules that may be needed, or may not."""
        for module, files in self._closure(names):
            size = sum(map(len, files.values()))
            if self._size + size <= MAX_BUNDLE_BYTES:
                self._take(module, files, size)

    def _take(self, module: LocalModule, files: dict[str, bytes], size: int) -> None:
        self.files.update(files)
        self._size += size
        if module.file:
            self.origins[module.archive_name] = module.file
        else:
            self.origins[module.name] = module.folders[0]

    def _closure(self, names: Iterable[str]) -> Iterator[tuple[LocalModule, dict[str, bytes]]]:
        waiting = sorted(names)
        while waiting:
            name = waiting.pop()
            if name in self._tops:
                continue
            module = find_local(name)
            self._tops[name] = module is not None
            if module is None:
                continue
            files = dict(_files_of(module))
            yield module, files
            for archive_name, data in files.items():
                if archive_name.endswith(".py"):
                    waiting.extend(self.local_imports(data))

    def local_imports(self, source: bytes) -> list[str]:
        """Return the user's own modules that a source imports, in a fixed order."""
        likely = [name for name in possible_imports(source) if find_local(name) is not None]
        return sorted(set(likely) & imports(source)) if likely else []


def _files_of(module: LocalModule) -> Iterator[tuple[str, bytes]]:
    if module.file:
        yield module.archive_name, _read(module.file)
    for folder in module.folders:
        yield from _package_files(folder, module.name)


def _package_files(top: str, name: str) -> Iterator[tuple[str, bytes]]:
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
            if one.endswith(_CODE) or (folder in regular and _is_small_data(path)):
                inside = os.path.relpath(path, top).replace(os.sep, "/")
                yield f"{name}/{inside}", _read(path)


def _is_small_data(path: str) -> bool:
    return (
        not os.path.basename(path).startswith(".")
        and os.path.isfile(path)
        and os.path.getsize(path) <= MAX_DATA_FILE_BYTES
    )


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        message = f"{path} belongs to the application's code but cannot be read: {error.strerror}"
        raise UsageError(message) from error


def _too_large(module: LocalModule, files: dict[str, bytes], others: int) -> str:
    size = sum(map(len, files.values()))
    largest = sorted(files, key=lambda name: len(files[name]), reverse=True)[:3]
    listed = ", ".join(f"{name} ({len(files[name]) / 2**20:.1f} MiB)" for name in largest)
    limit = MAX_BUNDLE_BYTES // 2**20
    return (
        f"the code of {module.name!r} is too large to be sent to workers: {size / 2**20:.1f} MiB "
        f"(with {others / 2**20:.1f} MiB of other modules), {limit} MiB at most; largest: {listed}. "
        "Install the package on the workers, or move its data out of it"
    )


def main_source() -> bytes:
    """Return the source of the script that runs as ``__main__``, empty if there is none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if not file or not file.endswith((".py", ".pyw")) or not os.path.isfile(file):
        return b""
    return _read(file)
