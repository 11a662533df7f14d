"""Changes of ``env.toml`` that commands make: the application, plug-ins on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.components import IApp
from concurrent_framework.config.edit import set_value
from concurrent_framework.config.nearest import nearest
from concurrent_framework.environment.files import telling, write_whole
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from concurrent_framework.config.edit import Value
    from concurrent_framework.environment.environment import Environment
    from concurrent_framework.environment.layout import Layout


def set_application(environment: Environment, name: str) -> None:
    """Set what `launch` runs; raises UsageError if no application has this name."""
    demand_application(environment, name)
    change(environment.layout, "environment", "app", name)


def demand_application(environment: Environment, name: str) -> None:
    """Raise UsageError unless there is something of this name to launch."""
    known = environment.components.names(IApp)
    if name in known:
        return
    near = nearest(name, known)
    hint = f"did you mean {near!r}? " if near else ""
    message = (
        f"no application is called {name!r}; {hint}there is {', '.join(known)}, "
        f"and whatever is put in {environment.layout.plugins}"
    )
    raise UsageError(message)


def switch(environment: Environment, name: str, *, on: bool) -> None:
    """Switch a component or a whole plug-in on or off, from the next launch on.

    Args:
        environment: where.
        name: the short name of a component or plug-in, or a component's ``module:Class``.
        on: whether it shall be on.

    Raises:
        UsageError: if there is nothing of this name.

    """
    rows = environment.components.describe()
    known = {name for row in rows for name in (row.name, row.target, row.plugin) if name}
    if name not in known:
        near = nearest(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        message = f"there is no component or plug-in {name!r}{hint}"
        raise UsageError(message)
    change(environment.layout, "components", name, "enabled" if on else "disabled")


def change(layout: Layout, section: str, key: str, value: Value) -> None:
    """Set one value in an environment's configuration and keep everything else as it is."""
    with telling(f"change {layout.config}"):
        text = layout.config.read_text(encoding="utf-8")
        write_whole(layout.config, set_value(text, section, key, value).encode())
