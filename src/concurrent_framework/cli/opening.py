"""Opens the environment that a command is about, and tells what is wrong with it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from concurrent_framework.config import Config
from concurrent_framework.environment import Environment
from concurrent_framework.environment.layout import CONFIG, layout_of
from concurrent_framework.launch.components import report_on_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from concurrent_framework.components import PluginProblem


def opened(path: Path, settings: Sequence[str] = ()) -> Environment:
    """Open an environment to use it: everything in its configuration has to be right.

    Raises:
        UsageError: it is no environment, of another version, or its configuration is wrong.

    """
    return Environment.open(path, environ=os.environ, settings=settings, report=report_on_stderr)


def opened_to_change(
    path: Path, report: Callable[[PluginProblem], None] = report_on_stderr
) -> Environment:
    """Open an environment of which a plug-in may be broken or a setting wrong, to put that right.

    Raises:
        UsageError: it is no environment, of another version, or its ``env.toml`` is no TOML.

    """
    Config.load(layout_of(path).config, os.environ)  # what is no TOML cannot be changed
    environment = Environment.open(path, environ=os.environ, report=report, check=False)
    environment.demand_version()
    return environment


def opened_as_it_is(path: Path) -> Environment:
    """Open an environment to save, delete or look at it, whatever is wrong with it.

    Raises:
        UsageError: it is no environment.

    """
    return Environment.open(path, environ=os.environ, report=warn, check=False)


def warn(problem: PluginProblem) -> None:
    """Say in one line what is wrong and does not matter to this command."""
    where = "" if problem.origin == CONFIG else f"plug-in {problem.origin} "
    print(f"warning: {where}{problem.summary}", file=sys.stderr)
