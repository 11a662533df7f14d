"""Takes over an application that was detached, to get its outcome."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from concurrent_framework.cli.run import run_on
from concurrent_framework.cli.target import Target, parse
from concurrent_framework.config import Config

if TYPE_CHECKING:
    from concurrent_framework.cli.run_options import RunOptions


def attach(application: str, options: RunOptions) -> int:
    """Wait for the outcome of an application and return an exit code that tells it.

    Args:
        application: its number or name at the master.
        options: the target whose callbacks are called (empty for ones that print), and the master.

    """
    target = parse(options.target) if options.target else _printer()
    from concurrent_framework.cli.asking import client_of
    from concurrent_framework.launch.locate import locate

    connection = locate(options.join)
    with client_of(connection) as client:
        session = client.query("attach", {"application": application})["session"]
    config = Config.load(None, os.environ, options.settings)
    return run_on(connection, target, options, config, session)


def _printer() -> Target:
    """Return an application whose callbacks are all the default ones, which print."""
    return Target("attach", None, "concurrent_framework.cli.outcome_printer", "OutcomePrinter")
