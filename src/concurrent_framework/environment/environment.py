"""An open environment: its configuration, its components and its paths."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self

from concurrent_framework.components import (
    Component,
    ComponentManager,
    ExtensionPoint,
    PluginProblem,
)
from concurrent_framework.config import Config, Option
from concurrent_framework.environment.layout import CONFIG, VERSION, Layout, layout_of
from concurrent_framework.environment.listener import IEnvironmentListener
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from concurrent_framework.components import Reference
    from concurrent_framework.config import Described


class Environment(Component):
    """An open environment. Components reach theirs as ``self.components[Environment]``.

    Args:
        layout: its paths; None if there is no environment, which is an error here.

    Raises:
        UsageError: if there is no environment, because the node was started without one.

    Example:
        ::

            environment = Environment.open(Path("lab"))
            print(environment.title, environment.layout.data)

    """

    version = Option(
        "environment",
        "version",
        default=VERSION,
        minimum=1,
        doc="Version of the environment's layout; `concurrent env upgrade` raises it.",
    )
    application = Option(
        "environment",
        "app",
        default="",
        doc="What `concurrent env launch` runs: master, worker, or an application's name.",
    )
    own_title = Option(
        "environment",
        "name",
        default="",
        doc="What people call it; the name of its directory if empty.",
    )
    listen = Option(
        "environment",
        "listen",
        default="",
        doc="Where a master serves other machines, as in tcp://0.0.0.0:8081; none if empty.",
    )
    join = Option(
        "environment",
        "join",
        default="",
        secret=True,
        doc="The master that a worker or an application joins: its link, auto for the one on this "
        "machine, or the path of its environment, relative to this one. If empty, a worker joins "
        "the master of this machine and an application gets a cluster of its own.",
    )
    log_level = Option(
        "environment",
        "log_level",
        default="info",
        choices=("debug", "info", "warning", "error"),
        doc="The least severe messages that are logged.",
    )
    log_size = Option(
        "environment",
        "log_size",
        default=10 << 20,
        minimum=1024,
        unit="bytes",
        doc="Size at which a new log file is begun.",
    )
    log_files = Option(
        "environment",
        "log_files",
        default=5,
        minimum=1,
        maximum=1000,
        doc="How many older log files are kept.",
    )
    listeners = ExtensionPoint(IEnvironmentListener)

    def __init__(self, layout: Layout | None = None) -> None:
        if layout is None:
            message = (
                "there is no environment here: this was started without one; "
                "`concurrent env launch PATH` starts with one"
            )
            raise UsageError(message)
        self.layout = layout

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        environ: Mapping[str, str] | None = None,
        settings: Sequence[str] = (),
        components: Iterable[type[Component] | Reference] = BUILTIN,
        report: Callable[[PluginProblem], None] | None = None,
        check: bool = True,
        installed: bool = True,
    ) -> Self:
        """Read an environment's configuration and load its plug-ins.

        Args:
            path: its directory.
            environ: variables that may set options.
            settings: ``section.key=value`` each, as given with ``--set``.
            components: what there is before plug-ins are found.
            report: called with each plug-in that fails.
            check: False to open an environment although its configuration has mistakes, to save
                or delete it: what cannot be read is reported, and the defaults hold.
            installed: whether to look for plug-ins among installed packages too.

        Raises:
            UsageError: if there is none, it is of another version, or its configuration is wrong.

        """
        layout = layout_of(path)
        config, problem = _load(layout, environ, settings, tolerant=not check)
        manager = ComponentManager(config, report=report)
        if problem is not None:
            manager.tell(problem)
        manager.add(cls, *components)
        environment = manager.create(cls, layout)
        if check:
            environment.demand_version()
        manager.discover(layout.plugins, installed=installed, commands=installed)
        if check:
            manager.check()
        environment.tell("opened")
        return environment

    @property
    def title(self) -> str:
        """What people call it."""
        return self.own_title or self.layout.root.name

    def demand_version(self) -> None:
        """Raise UsageError if the environment is of another version than this code."""
        found, path = self.version, self.layout.root
        if found > VERSION:
            message = (
                f"{path} is of version {found}, this is concurrent-framework for version "
                f"{VERSION}: install a newer one"
            )
            raise UsageError(message)
        if found < VERSION:
            message = (
                f"{path} is of version {found}: `concurrent env upgrade {path}` brings it to "
                f"version {VERSION}, after a backup"
            )
            raise UsageError(message)

    def describe(self) -> list[Described]:
        """Return every option there is, with value, source, type and doc."""
        return self.components.describe_options()

    def tell(self, hook: str, *arguments: object) -> None:
        """Call a hook of every listener; those that raise are reported and do not stop the rest."""
        for listener in self.listeners:
            self.components.guard(listener, partial(getattr(listener, hook), self, *arguments))


def _load(
    layout: Layout,
    environ: Mapping[str, str] | None,
    settings: Sequence[str],
    *,
    tolerant: bool,
) -> tuple[Config, PluginProblem | None]:
    try:
        return Config.load(layout.config, environ, settings), None
    except UsageError as error:
        if not tolerant:
            raise
        return Config(), PluginProblem(CONFIG, str(error))
