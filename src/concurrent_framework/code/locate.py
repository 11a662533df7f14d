"""Which modules are the user's own, and where their files are."""

from __future__ import annotations

import os
import sys
from importlib.machinery import all_suffixes
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OURS = __name__.partition(".")[0]
_NEVER_LOCAL = frozenset({OURS, "__main__", "cloudpickle", "msgspec", "tblib"})
"""Modules that both ends have, and must not have twice: this package, and what it pickles with."""
_STDLIB = tuple(
    folder + os.sep
    for folder in {os.path.dirname(os.__file__), os.path.dirname(os.path.realpath(os.__file__))}
)
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class LocalModule(NamedTuple):
    """A top-level module or package that is not installed.

    Args:
        name: its name, without dots.
        file: its file, empty if it is a package.
        folders: the package's folders; several only for a namespace package.

    """

    name: str
    file: str
    folders: tuple[str, ...]

    @property
    def archive_name(self) -> str:
        """The name that makes a module importable under `name`, wherever its file came from."""
        base = os.path.basename(self.file)
        suffix = base[base.find(".") :]
        return self.name + (suffix if suffix in all_suffixes() else ".py")


def find_local(name: str) -> LocalModule | None:
    """Find a top-level module by name; None if it is installed, built in, or does not exist."""
    if name in _NEVER_LOCAL:
        return None
    file, folders = _places_of(name)
    if folders is not None:
        local = tuple(folder for folder in folders if _is_local(folder, os.path.isdir))
        return LocalModule(name, "", local) if local else None
    if file is not None and _is_local(file, os.path.isfile):
        return LocalModule(name, file, ())
    return None


def _places_of(name: str) -> tuple[str | None, list[str] | None]:
    """Return a module's file, and its folders if it is a package."""
    module = sys.modules.get(name)
    try:
        if module is not None:
            file: object = getattr(module, "__file__", None)
            folders: Iterable[str] | None = getattr(module, "__path__", None)
        else:
            spec = find_spec(name)
            file = spec.origin if spec is not None and spec.has_location else None
            folders = spec.submodule_search_locations if spec is not None else None
        listed = None if folders is None else [str(folder) for folder in folders]
    except Exception:  # noqa: BLE001 (odd objects stand in for modules; finders are user code)
        return None, None
    return file if isinstance(file, str) else None, listed


def loaded_local_modules() -> list[str]:
    """Return the names of the user's own top-level modules that are loaded, sorted."""
    tops = {name.partition(".")[0] for name in list(sys.modules)}
    return sorted(name for name in tops if find_local(name) is not None)


def is_importable(cls: type) -> bool:
    """Whether the class is found under its name in its module, and that module is not a script."""
    if cls.__module__ == "__main__" or cls.__module__ not in sys.modules:
        return False
    found: object = sys.modules[cls.__module__]
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is cls


def _is_local(path: str, exists: Callable[[str], bool]) -> bool:
    return (
        not _is_installed(path + os.sep)
        and exists(path)
        and not _is_installed(os.path.realpath(path) + os.sep)
    )


def _is_installed(path: str) -> bool:
    return path.startswith(_STDLIB) or any(part in path for part in _INSTALLED)
