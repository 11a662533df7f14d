"""The components a process works with: what is built in, what is installed, what it brings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from concurrent_framework.components import ComponentManager
from concurrent_framework.launch.builtin import BUILTIN

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.components import Component, PluginProblem
    from concurrent_framework.config import Config


def components_for(
    config: Config,
    *brought: type[Component],
    unknown: bool = True,
    plugins: Path | None = None,
) -> ComponentManager:
    """Return the components of a process, with the configuration checked.

    Args:
        config: what they are configured with.
        brought: components that are neither built in nor installed, such as an application.
        unknown: whether a setting that none of them knows is an error. It is not in the nodes of
            an embedded cluster, which also get what is meant for the application.
        plugins: the folder of an environment's plug-ins, None for none.

    Raises:
        UsageError: a line for each setting that is wrong.

    """
    components = ComponentManager(config, BUILTIN, report=report_on_stderr)
    components.discover(plugins)
    components.add(*brought, origin="application")
    components.check(unknown=unknown)
    return components


def report_on_stderr(problem: PluginProblem) -> None:
    """Say what a plug-in did, with its own traceback."""
    sys.stderr.write(f"error: plug-in {problem.origin} {problem.summary}\n{problem.traceback}")
