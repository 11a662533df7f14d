"""Runs one application: on a cluster of its own on this machine, or on a master's swarm."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from concurrent_framework.cli.loading import users_errors
from concurrent_framework.cli.target import parse
from concurrent_framework.config import Config
from concurrent_framework.model.errors import MasterNotFoundError, UsageError

if TYPE_CHECKING:
    from concurrent_framework.application.connection import Connection
    from concurrent_framework.application.node import ApplicationNode
    from concurrent_framework.cli.run_options import RunOptions
    from concurrent_framework.cli.target import Target


def run(options: RunOptions) -> int:
    """Run the target and return its exit code.

    Raises:
        UsageError: the target or an option cannot work.
        MasterNotFoundError: no master answers.
        RefusedError: the master refuses.
        UserCodeError: the user's code raised before it was connected.

    """
    target = parse(options.target)
    config = Config.load(None, os.environ, options.settings)
    if options.join or options.detach or options.resume:
        connection = _master_of(options)
        session = ""
        if options.resume:
            from concurrent_framework.cli.attaching import session_of_absent

            session = session_of_absent(connection, _create(target, config).full_name)
        return run_on(connection, target, options, config, session)
    if config:
        _check(target, config)
    from concurrent_framework.launch.embedded import EmbeddedCluster

    with EmbeddedCluster(config, options.workers) as cluster:
        return run_on(cluster.connection, target, options, config)


def run_on(
    connection: Connection, target: Target, options: RunOptions, config: Config, session: str = ""
) -> int:
    """Run the target against a master that is there.

    Args:
        connection: where the master is.
        target: what to run.
        options: what was typed.
        config: the configuration.
        session: id of the application to take over; empty for a new one.

    """
    application = _create(target, config)
    application.link = connection
    application.arguments = list(options.arguments)
    application.detach = options.detach
    application.attach_to = session
    from concurrent_framework.cli.progress import display_for

    application.display = display_for(application.full_name, quiet=options.quiet)
    with users_errors(target.text, may_exit=True):
        application.app_init()
    if options.dashboard:
        from concurrent_framework.api.application import seen

        with seen(application, connection) as told:
            print(told, file=sys.stderr, flush=True)
            code = application.app_main()
    else:
        code = application.app_main()
    if options.detach and code == 0:
        _tell_where(application, connection, options.join)
    return code


def _check(target: Target, config: Config) -> None:
    """Find what is wrong with the configuration before any process is started with it."""
    from concurrent_framework.launch.components import components_for

    components_for(config, target.load())


def _create(target: Target, config: Config) -> ApplicationNode:
    found = target.load()
    from concurrent_framework.launch.components import components_for

    components = components_for(config, found)
    with users_errors(target.text):
        return components.create(found)


def _master_of(options: RunOptions) -> Connection:
    if options.workers is not None:
        what = "--join" if options.join else "--detach" if options.detach else "--resume"
        message = f"--workers makes a cluster here, {what} uses a master's: give one of them"
        raise UsageError(message)
    from concurrent_framework.cli.locating import master_of

    try:
        return master_of(options.join)
    except MasterNotFoundError:
        if options.join:
            raise
        message = (
            f"{'--detach' if options.detach else '--resume'} needs a master that stays: start one "
            "with `concurrent master` "
            "or name one with --join LINK"
        )
        raise MasterNotFoundError(message) from None


def _tell_where(application: ApplicationNode, connection: Connection, join: str) -> None:
    """Say how to get the outcome of what was detached, unless all of it has ended already."""
    from concurrent_framework.cli.asking import client_of
    from concurrent_framework.model.errors import ConcurrentError

    try:
        with client_of(connection) as client:
            number = client.query("attach", {"application": application.node_id_str})["application"]
    except ConcurrentError:
        return
    from concurrent_framework.launch.locate import AUTO

    where = "" if join in {"", AUTO} else " --join LINK"
    print(f"detached as application {number}; its outcome: concurrent attach {number}{where}")
