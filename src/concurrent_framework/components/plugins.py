"""Finding plug-ins: installed packages that announce components, and files in a folder."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.components.component import Component, interfaces_of
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GROUP = "concurrent_framework.components"
"""Entry points of this group name a component (``module:Class``) or a module full of them."""
COMMANDS = "concurrent_framework.commands"
"""The same for commands, which are not imported where nobody can type one."""


class Plugin(NamedTuple):
    """A plug-in that was found and not imported yet.

    Args:
        name: by which the configuration switches it off as a whole.
        origin: the file, or the package with its version, for people.
        load: imports it and returns its components; raises whatever the plug-in raises.

    """

    name: str
    origin: str
    load: Callable[[], list[type[Component]]]


def installed_plugins(paths: Sequence[str], groups: Sequence[str] = (GROUP,)) -> Iterator[Plugin]:
    """Yield the plug-ins of installed packages, sorted by name.

    Args:
        paths: where packages are installed, as in `sys.path`.
        groups: of which entry points.

    """
    if not any(_announces(path, groups) for path in paths):
        return
    from importlib.metadata import distributions

    found = {
        (point.name, point.value): Plugin(
            point.name,
            f"{distribution.name} {distribution.version}",
            lambda value=point.value: _load_announced(value),  # type: ignore[misc]
        )
        for distribution in distributions(path=list(paths))
        for point in distribution.entry_points
        if point.group in groups
    }
    yield from (found[key] for key in sorted(found))


def _announces(path: str, groups: Sequence[str]) -> bool:
    """Whether a package below this path may have entry points for us.

    Looking at the files takes a millisecond; `importlib.metadata` takes sixty to import.
    """
    place = Path(path or ".")
    if place.is_file():
        return True
    for file in place.glob("*.*-info/entry_points.txt"):
        try:
            text = file.read_bytes()
        except OSError:
            continue
        if any(group.encode() in text for group in groups):
            return True
    return False


def _load_announced(value: str) -> list[type[Component]]:
    module, _, qualname = value.partition(":")
    found: object = importlib.import_module(module.strip())
    for part in filter(None, qualname.strip().split(".")):
        found = getattr(found, part)
    if isinstance(found, ModuleType):
        return components_in(found)
    if isinstance(found, type) and issubclass(found, Component):
        return [found]
    message = f"{value} is neither a component nor a module that has some"
    raise UsageError(message)


def folder_plugins(folder: Path) -> Iterator[Plugin]:
    """Yield the plug-ins of a folder: its modules and packages, sorted by name.

    Names that begin with an underscore or a dot are left out: they are for parts that plug-ins
    share. A folder that does not exist has none.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        file = path / "__init__.py" if path.is_dir() else path
        if file.suffix == ".py" and file.is_file() and not path.name.startswith(("_", ".")):
            yield Plugin(
                path.stem,
                f"{folder.name}/{path.name}",
                lambda name=path.stem, file=file: _load_file(name, file, folder),  # type: ignore[misc]
            )


def _load_file(name: str, file: Path, folder: Path) -> list[type[Component]]:
    present = sys.modules.get(name)
    if present is not None and getattr(present, "__file__", None) == str(file):
        return components_in(present)
    if not name.isidentifier():
        message = f"{file.name}: {name!r} cannot be the name of a Python module; rename it"
        raise UsageError(message)
    elsewhere = [path for path in sys.path if path != str(folder)]
    if (
        present is not None
        or name in sys.stdlib_module_names
        or PathFinder.find_spec(name, elsewhere)
    ):
        message = f"{file.name}: there is another Python module called {name!r}; rename it"
        raise UsageError(message)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    locations = [str(file.parent)] if file.name == "__init__.py" else None
    spec = spec_from_file_location(name, file, submodule_search_locations=locations)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return components_in(module)


def components_in(module: ModuleType) -> list[type[Component]]:
    """Return the components that a module, or a package of that name, defines, in order."""
    name = module.__name__
    found = {
        member: None
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Component)
        and (member.__module__ == name or member.__module__.startswith(f"{name}."))
        and member.abstract is not True
        and interfaces_of(member)
    }
    return list(found)


def own_traceback(error: BaseException) -> str:
    """Return the traceback of an error as the author of the plug-in wants it: their lines only."""
    from traceback import StackSummary, TracebackException

    whole = TracebackException.from_exception(error)
    whole.stack = StackSummary.from_list(
        [frame for frame in whole.stack if not _is_machinery(frame.filename)]
    )
    return "".join(whole.format())


def _is_machinery(filename: str) -> bool:
    ours = str(Path(__file__).parent)
    return filename.startswith(("<frozen importlib", ours)) or filename == importlib.__file__
