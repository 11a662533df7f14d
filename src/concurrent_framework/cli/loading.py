"""Imports the user's code; what it raises is shown as the user's own traceback."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from contextlib import contextmanager
from keyword import iskeyword
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
def users_errors(place: str, *, may_exit: bool = False) -> Iterator[None]:
    """Show what the user's code raises in here as the user's own traceback.

    Args:
        place: what was being run, as the user named it.
        may_exit: let it end the program, as argparse does after ``--help``.

    """
    try:
        yield
    except SystemExit as error:
        if may_exit:
            raise
        raise _theirs(error, place) from None
    except BaseException as error:  # noqa: BLE001 (whatever their code raises is theirs to see)
        raise _theirs(error, place) from None


def import_file(path: Path) -> ModuleType:
    """Import a file, with its directory as the first place to look for what it imports.

    Its ``if __name__ == "__main__"`` part does not run. It gets its own name, or one like it if that
    is no name for a module or is taken, as that of ``test.py`` or ``my-app.py``.
    """
    directory = str(path.parent)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    name = module_name(path.stem)
    for known in (path.stem, name):
        if getattr(sys.modules.get(known), "__file__", None) == str(path):
            return sys.modules[known]
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


def module_name(stem: str) -> str:
    """Return a name for the module of a file that nothing else has.

    Example:
        >>> module_name("hello"), module_name("my-first.app"), module_name("3d"), module_name("json")
        ('hello', 'my_first_app', '_3d', 'json_')

    """
    name = re.sub(r"\W", "_", stem)
    if not name or name[0].isdigit():
        name = f"_{name}"
    while iskeyword(name) or name in sys.modules or name in sys.stdlib_module_names:
        name += "_"
    return name


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
