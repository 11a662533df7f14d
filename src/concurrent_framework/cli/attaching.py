"""Takes over an application that was detached, to get its outcome."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from concurrent_framework.cli.run import run_on
from concurrent_framework.cli.target import Target, parse
from concurrent_framework.config import Config
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from concurrent_framework.application.connection import Connection
    from concurrent_framework.cli.run_options import RunOptions
    from concurrent_framework.launch.client import MasterClient

LOOK_AGAIN = 0.2
"""Seconds between looks whether an application is free."""


def attach(application: str, options: RunOptions) -> int:
    """Wait for the outcome of an application and return an exit code that tells it.

    Args:
        application: its number or name at the master.
        options: the target whose callbacks are called (empty for ones that print), and the master.

    """
    target = parse(options.target) if options.target else _printer()
    from concurrent_framework.cli.asking import client_of
    from concurrent_framework.cli.locating import master_of

    connection = master_of(options.join)
    with client_of(connection) as client:
        session = _wait_until_free(client, application)
    config = Config.load(None, os.environ, options.settings)
    return run_on(connection, target, options, config, session)


def session_of_absent(connection: Connection, name: str) -> str:
    """Return the id of the application of this name that the master keeps; empty if there is none.

    Raises:
        UsageError: there are several; the message names them.

    """
    from concurrent_framework.cli.asking import client_of

    with client_of(connection) as client:
        known = [one for one in client.query("applications") if one["name"] == name]
        if not known:
            return ""
        if len(known) > 1:
            numbers = ", ".join(str(one["application"]) for one in known)
            message = (
                f"--resume cannot tell which {name} is meant, there are {numbers}: "
                "use `concurrent attach NUMBER TARGET`"
            )
            raise UsageError(message)
        return _wait_until_free(client, str(known[0]["application"]))


def _wait_until_free(client: MasterClient, application: str) -> str:
    """Return the id of an application, once its own process has left it or is taken for lost.

    One that lives is left alone: after a lease and a little more the master gets to refuse.
    """

    def ask() -> dict[str, Any]:
        found: dict[str, Any] = client.query("attach", {"application": application})
        return found

    found = ask()
    patience = client.lease * 1.5
    if found["state"] == "running":
        print(
            f"application {found['application']} ({found['name']}) is still connected from process "
            f"{found['pid']} on {found['host']}; if that is gone, the master will notice within "
            f"{patience:g} s",
            file=sys.stderr,
        )
    end = time.monotonic() + patience
    while found["state"] == "running" and time.monotonic() < end:
        time.sleep(LOOK_AGAIN)
        found = ask()
    session: str = found["session"]
    return session


def _printer() -> Target:
    """Return an application whose callbacks are all the default ones, which print."""
    return Target("attach", None, "concurrent_framework.cli.outcome_printer", "OutcomePrinter")
