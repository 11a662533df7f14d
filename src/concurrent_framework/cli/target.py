"""Finds the application that a person named: a file, ``file.py:Class``, ``module:Class``, a sample."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.cli.loading import import_file, import_module
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from concurrent_framework.application.node import ApplicationNode

SAMPLES = "concurrent_framework.samples"
FORMS = "a file (hello.py), FILE.py:CLASS, MODULE:CLASS or a sample's name"


class Target(NamedTuple):
    """Where an application is to be found.

    Args:
        text: what the person typed.
        file: the Python file, None for a module.
        module: the module's dotted name, empty for a file.
        name: the class's name, empty if the only application in there is meant.

    """

    text: str
    file: Path | None
    module: str
    name: str

    def load(self) -> type[ApplicationNode]:
        """Import it and return the application's class.

        Raises:
            UsageError: the module or class does not exist, or is no application.
            UserCodeError: the user's code raised while it was imported.

        """
        module = import_file(self.file) if self.file else import_module(self.module)
        return _application_in(module, self)


def sample_names() -> list[str]:
    """Return the names of the samples, in alphabetical order."""
    import pkgutil

    from concurrent_framework import samples

    return sorted(
        one.name
        for one in pkgutil.iter_modules(samples.__path__)
        if one.ispkg and not one.name.startswith("_")
    )


def parse(text: str) -> Target:
    """Decide what a target's text means; looks at the disk, but imports nothing of the user's.

    Raises:
        UsageError: nothing by that name exists.

    """
    place, _, name = _split(text)
    if place.endswith(".py") or os.sep in place:
        path = Path(place).expanduser()
        if path.is_dir():
            raise UsageError(_is_a_directory(place))
        if not path.is_file():
            message = f"there is no file {place}{_did_you_mean_file(path)}"
            raise UsageError(message)
        return Target(text, path.resolve(), "", name)
    if not place or (name and not name.isidentifier()):
        message = f"{text!r} is no target: expected {FORMS}"
        raise UsageError(message)
    if not name and place in sample_names():
        return Target(text, None, f"{SAMPLES}.{place}", "")
    if not name:
        raise UsageError(_no_such_name(place))
    return Target(text, None, place, name)


def _split(text: str) -> tuple[str, str, str]:
    """Split off the class; the colon of a Windows drive is none of ours."""
    place, colon, name = text.rpartition(":")
    if colon and (os.sep in name or "/" in name or name.endswith(".py")):
        return text, "", ""
    return (place, colon, name) if colon else (text, "", "")


def _application_in(module: ModuleType, target: Target) -> type[ApplicationNode]:
    from concurrent_framework.application.node import ApplicationNode

    where = str(target.file or target.module) if not target.file else target.file.name
    if target.name:
        value = getattr(module, target.name, None)
        if value is None:
            found = _names(_candidates(module))
            hint = f"; it has {found}" if found else ""
            message = f"{where} has no class {target.name}{hint}"
            raise UsageError(message)
        if not (isinstance(value, type) and issubclass(value, ApplicationNode)):
            message = (
                f"{target.name} in {where} is no application: "
                f"write `class {target.name}(ApplicationNode)` with `implements(IApp)`"
            )
            raise UsageError(message)
        return value
    candidates = _candidates(module)
    if not candidates:
        message = (
            f"{where} defines no application: write a class that inherits from ApplicationNode "
            "and says `implements(IApp)`"
        )
        raise UsageError(message)
    if len(candidates) > 1:
        message = (
            f"{where} defines several applications ({_names(candidates)}): "
            f"name one, as in {target.text}:{candidates[0].__name__}"
        )
        raise UsageError(message)
    return candidates[0]


def _candidates(module: ModuleType) -> list[type[ApplicationNode]]:
    """Return the applications a module defines itself, but for those others there build on."""
    from concurrent_framework.application.node import ApplicationNode

    package = module.__name__
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, ApplicationNode)
        and value is not ApplicationNode
        and (value.__module__ == package or value.__module__.startswith(f"{package}."))
        and not getattr(value, "abstract", False)
    ]
    unique = list(dict.fromkeys(found))
    return [
        one
        for one in unique
        if not any(other is not one and issubclass(other, one) for other in unique)
    ]


def _names(classes: list[type[ApplicationNode]]) -> str:
    return ", ".join(one.__name__ for one in classes)


def _no_such_name(place: str) -> str:
    from difflib import get_close_matches

    samples = sample_names()
    if Path(f"{place}.py").is_file():
        return f"there is no sample {place!r}; did you mean the file {place}.py?"
    path = Path(place)
    if path.is_file():
        return f"{place} is no Python file: expected {FORMS}"
    if path.is_dir() and not (path / "__init__.py").is_file():
        return _is_a_directory(place)
    if _exists(place):
        return f"{place} is a module: name the class in it, as in {place}:MyApplication"
    near = get_close_matches(place, samples, 1)
    hint = f"; did you mean {near[0]}?" if near else f" (samples: {', '.join(samples)})"
    return f"there is no sample {place!r}{hint}"


def _is_a_directory(place: str) -> str:
    return f"{place} is a directory: name a file in it, or MODULE:CLASS"


def _exists(module: str) -> bool:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
    finally:
        sys.path.pop(0)


def _did_you_mean_file(path: Path) -> str:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return f": the directory {path.parent} does not exist"
    near = get_close_matches(path.name, [one.name for one in path.parent.glob("*.py")], 1)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""
