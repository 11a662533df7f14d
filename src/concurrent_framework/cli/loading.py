"""Imports the user's code; what it raises is shown as the user's own traceback."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType, TracebackType

PACKAGE = str(Path(__file__).parents[1])


class UserCodeError(ConcurrentError):
    """The user's code raised while it was imported; the message is its traceback, theirs alone."""


@contextmanager
def users_errors(place: str) -> Iterator[None]:
    """Show what the user's code raises in here as the user's own traceback.

    Args:
        place: what was being run, as the user named it.

    """
    try:
        yield
    except BaseException as error:  # noqa: BLE001 (whatever their code raises is theirs to see)
        raise _theirs(error, place) from None


def import_file(path: Path) -> ModuleType:
    """Import a file under its own name, as if its directory were the first place to look.

    Its ``if __name__ == "__main__"`` part does not run.
    """
    directory = str(path.parent)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    if not name.isidentifier() or known is not None or name in sys.stdlib_module_names:
        message = (
            f"{path.name} cannot be imported under that name, "
            f"{_why_not(name, taken=name.isidentifier())}: rename the file"
        )
        raise UsageError(message)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        message = f"{path} is no Python file"
        raise UsageError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with users_errors(path.name):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def import_module(name: str) -> ModuleType:
    """Import a module by its dotted name; the current directory is looked at first."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    with users_errors(name):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not (error.name and (name == error.name or name.startswith(f"{error.name}."))):
                raise
            message = f"there is no module {error.name!r} here or among the installed ones"
            raise UsageError(message) from None


def _why_not(name: str, *, taken: bool) -> str:
    if taken:
        return f"{name!r} is a module of Python's own or already in use"
    return f"{name!r} is no Python name"


def _theirs(error: BaseException, place: str) -> BaseException:
    """Turn what an import raised into an error that shows only the user's frames."""
    if isinstance(error, KeyboardInterrupt | ConcurrentError):
        return error
    if isinstance(error, SystemExit):
        return UsageError(f"{place} ended the program (sys.exit) before it was connected")
    import traceback

    shown = "".join(
        traceback.format_exception(type(error), error, _users_frames(error.__traceback__))
    )
    return UserCodeError(shown.rstrip("\n"))


def _users_frames(frames: TracebackType | None) -> TracebackType | None:
    """Skip the leading frames that belong to us or to the import machinery."""
    while frames is not None:
        file = frames.tb_frame.f_code.co_filename
        ours = file.startswith(PACKAGE) and "samples" not in Path(file).parts
        if not (ours or file.startswith("<frozen importlib") or _is_importlib(file)):
            return frames
        frames = frames.tb_next
    return None


def _is_importlib(file: str) -> bool:
    return file.startswith(str(Path(importlib.__file__ or "").parent))
