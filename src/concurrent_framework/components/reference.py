"""Components that are known before they are imported."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """Where a component is, so that it is imported only when it is needed.

    Args:
        name: its short name.
        target: ``module:Class``.
        interfaces: the interfaces it implements, each as ``module:Class``.

    Example:
        >>> Reference("pull", "shop.scheduling:Pull", ("shop.scheduling:IScheduler",))
        Reference(name='pull', target='shop.scheduling:Pull', interfaces=('shop.scheduling:IScheduler',))

    """

    name: str
    target: str
    interfaces: tuple[str, ...]


class PluginProblem(NamedTuple):
    """A plug-in that could not be used.

    Args:
        origin: the file, package or component, for people.
        summary: one line that says what happened.
        traceback: the plug-in's own traceback, empty if no code of it raised.

    """

    origin: str
    summary: str
    traceback: str = ""


class ComponentInfo(NamedTuple):
    """What a manager knows of a component.

    Args:
        name: its short name.
        target: ``module:Class``.
        interfaces: short names of the interfaces it implements.
        origin: where it comes from: ``built-in``, a package, or a plug-in's file.
        state: ``enabled``, ``disabled`` or ``failed``.
        reason: why it is not enabled, empty if it is.
        plugin: name of the plug-in it belongs to, empty if there is none.

    """

    name: str
    target: str
    interfaces: tuple[str, ...]
    origin: str
    state: str
    reason: str = ""
    plugin: str = ""
