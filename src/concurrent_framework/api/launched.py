"""The process of an application that was launched over the API: reads its order, runs it, ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import msgspec

from concurrent_framework.api.launching import LaunchOrder
from concurrent_framework.application.connection import Connection
from concurrent_framework.application.node import ApplicationNode
from concurrent_framework.cli.exits import complain
from concurrent_framework.cli.target import parse
from concurrent_framework.components import ComponentManager, IApp
from concurrent_framework.config import Config
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.launch.components import report_on_stderr
from concurrent_framework.model.errors import ConcurrentError, UsageError


def main() -> int:
    """Run what stdin orders; return the application's exit code."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=LaunchOrder)
    try:
        return run(order)
    except ConcurrentError as error:
        complain(str(error))
        return error.exit_code


def run(order: LaunchOrder) -> int:
    """Run one application.

    Raises:
        UsageError: there is no such application, or a setting is wrong.

    """
    config = Config.from_json(order.config).replace(order.settings, "applications.launch")
    components = ComponentManager(config, BUILTIN, report=report_on_stderr)
    components.discover(Path(order.plugins) if order.plugins else None)
    if order.application in components.names(IApp):
        found = cast("type[object]", components.find(IApp, order.application))
    else:
        found = parse(order.application).load()
    if not issubclass(found, ApplicationNode):
        message = f"{order.application} is no ApplicationNode: only those can be launched here"
        raise UsageError(message)
    components.add(found, origin="application")
    components.check(unknown=False)
    application = components.create(found)
    application.link = Connection(order.endpoint)
    application.arguments = list(order.arguments)
    application.app_init()
    return application.app_main()


if __name__ == "__main__":
    sys.exit(main())
