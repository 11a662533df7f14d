"""Making a new environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.config.edit import toml_value
from concurrent_framework.environment.environment import Environment
from concurrent_framework.environment.files import built_beside, telling
from concurrent_framework.environment.layout import CONFIG, VERSION, Layout
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Opener = Callable[[Path], Environment]
    """Opens the environment at a path, for its listeners."""

_TEMPLATE = """\
# The configuration of this environment. `concurrent config PATH` lists every option there is,
# with its value and what it does; `concurrent config PATH --check` checks this file.

[environment]
version = {version}
app = {app}
name = {name}
"""

_README = """\
Modules (name.py) and packages in this folder are plug-ins: their components are found when the
environment is opened. Names that begin with an underscore are left alone.
"""


def create(
    path: Path,
    *,
    app: str = "",
    name: str = "",
    settings: Mapping[str, str] | None = None,
    opener: Opener = Environment.open,
) -> Environment:
    """Make an environment, whole or not at all.

    Args:
        path: its directory: one that does not exist yet, or an empty one.
        app: what it launches: ``master``, ``worker``, or the name of an application; it can be
            set later.
        name: what people call it; default: the name of its directory.
        settings: more keys of the section ``environment``; those that are empty are left out.
        opener: opens it afterwards.

    Raises:
        UsageError: if there is something at the path already.
        ConcurrentError: if the disk is full, read-only or not ours.

    """
    root = path.expanduser().resolve()
    demand_free(root)
    with telling(f"create {root}"), built_beside(root) as temporary:
        Layout(temporary).make_folders()
        text = _TEMPLATE.format(
            version=VERSION, app=toml_value(app), name=toml_value(name or root.name)
        )
        for key, value in (settings or {}).items():
            text += f"{key} = {toml_value(value)}\n" if value else ""
        (temporary / CONFIG).write_text(text, encoding="utf-8")
        (temporary / CONFIG).chmod(0o600)  # a link in it carries a token
        (temporary / "plugins" / "README.txt").write_text(_README, encoding="utf-8")
    environment = opener(root)
    environment.tell("created")
    return environment


def demand_free(root: Path) -> None:
    """Raise UsageError unless an environment can be put at this path."""
    if (root / CONFIG).exists():
        message = f"{root} is an environment already"
        raise UsageError(message)
    if root.is_dir() and any(root.iterdir()):
        message = f"{root} is a directory with other things in it; choose a new one"
        raise UsageError(message)
    if root.exists() and not root.is_dir():
        message = f"{root} is a file; choose a path that does not exist"
        raise UsageError(message)
