"""Loading of classes whose code has travelled here."""

from __future__ import annotations

import importlib
import linecache
import os
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from concurrent_framework.model.spec import CodeReference


class CodeError(ConcurrentError):
    """A class cannot be loaded here; the message says what is missing and what to do."""


def load_class(
    reference: CodeReference,
    paths: Mapping[str, str | os.PathLike[str]],
    *,
    own_first: bool = False,
) -> Any:
    """Return the class (or other object) that a reference stands for.

    Args:
        reference: what to load.
        paths: where the code of each digest lies here: a bundle's folder, or a pickle's file.
        own_first: whether modules of this process go before those sent along. True in an
            application, whose modules are its own; False in executors and hosts, where they were
            inherited from the process that forked them, or belong to the machine.

    Raises:
        CodeError: if code or a module is missing here, or is made for another Python.
        Exception: whatever the user's module raises when it is imported.

    """
    if reference.bundle and not (own_first and reference.bundle not in paths):
        mount(_path(reference.bundle, reference, paths), own_first=own_first)
    try:
        if reference.pickled:
            return _load_pickled(_path(reference.pickled, reference, paths), reference)
        found: Any = importlib.import_module(reference.module)
    except ModuleNotFoundError as error:
        _explain(error, reference)
    for name in reference.qualname.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            message = (
                f"module {reference.module!r} ({found_in(reference.module)}) has no "
                f"{reference.qualname!r} here; is another version of it installed?"
            )
            raise CodeError(message) from None
    return found


def mount(folder: Path, *, own_first: bool = False) -> None:
    """Make the modules of a bundle importable; repeating it is harmless.

    They go in front of all others, and loaded modules of the same names are forgotten, unless the
    process's own go first.
    """
    entry = str(folder)
    if entry in sys.path:
        return
    importlib.invalidate_caches()
    if own_first:
        sys.path.append(entry)
        return
    tops = {name.partition(".")[0] for name in os.listdir(folder)}
    siblings = str(folder.parent) + os.sep
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None) or ""
        if name.partition(".")[0] in tops and not origin.startswith(siblings):
            del sys.modules[name]
    sys.path.insert(0, entry)


def found_in(module: str) -> str:
    """Return the file a loaded module came from, for messages."""
    return getattr(sys.modules.get(module), "__file__", None) or "built in"


def _load_pickled(path: Path, reference: CodeReference) -> Any:
    version, sources, definition = pickle.loads(path.read_bytes())
    if version != sys.version_info[:2]:
        message = (
            f"{reference.qualname} was defined under Python {version[0]}.{version[1]} and travels "
            f"by value, but this worker runs {sys.version_info[0]}.{sys.version_info[1]}; use the "
            "same Python on both, or move the class from the script into a module beside it"
        )
        raise CodeError(message)
    for filename, text in sources.items():
        lines = text.splitlines(keepends=True)
        linecache.cache[filename] = (len(text), None, lines, filename)
    return pickle.loads(definition)


def _path(
    digest: str, reference: CodeReference, paths: Mapping[str, str | os.PathLike[str]]
) -> Path:
    path = paths.get(digest)
    if path is None or not os.path.exists(path):
        message = f"the code of {reference.qualname} ({digest[:12]}) has not arrived on this worker"
        raise CodeError(message)
    return Path(path)


def _explain(error: ModuleNotFoundError, reference: CodeReference) -> NoReturn:
    raise CodeError(missing_module(error, reference.qualname)) from error


def missing_module(error: ModuleNotFoundError, needed_by: str) -> str:
    """Return the sentence for a module that exists where the code came from but not here."""
    return (
        f"the worker has no module {error.name or str(error)!r}, which {needed_by} needs; install "
        "it there, or put it beside the application's files and import it, so that it travels too"
    )
